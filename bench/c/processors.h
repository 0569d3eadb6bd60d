/* How many processors this process may use. To be included where _GNU_SOURCE is defined. */

#include <sched.h>

static int processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}
