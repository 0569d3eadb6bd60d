/* The trivial backend: a banner, and done. Built static, so that a start costs as little as a start can. */

#include <unistd.h>

static const char banner[] = "220 bench.example\r\n";

int main(void)
{
    return write(1, banner, sizeof banner - 1) != sizeof banner - 1;
}
