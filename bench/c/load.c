/*
 * load MODE PORT [options]: many clients on loopback. Prints one line of JSON, their counts and times.
 *
 * One process with epoll, or several that share the clients: one alone is slower than a server that starts no program.
 *
 *   MODE     what each client does
 *   eof      reads until the server closes
 *   smtp     waits for the banner, says QUIT
 *   refused  a whole session, as a client has it that a screen refuses
 *   hold     waits for the banner and stays; when all have it the line is printed, and standard input's end ends all
 *   rcpt     a session that must be refused at RCPT, for a domain of others
 *   message  a session that must get its message through
 *   idle     stays as hold does, once EHLO was answered
 *
 *   -n N        clients in all (1000)
 *   -m BYTES    length of the message (2000)
 *   -c N        clients at a time (40): one that ends (hold: has its banner) makes room for the next
 *   -t SECONDS  instead: offer all within this time, whether the server keeps up or not
 *   -s NET/BITS addresses to come from, one after the other: each client a new one until all were used
 *   -p          as a proxy: each says by a PROXY header (version 2) that it comes from the next one's address
 *   -w SECONDS  give up after this time (60); who is not served by then is counted as waiting
 *   -z          leave with a reset after the server's end of file: nothing is lost by then, and no TIME_WAIT stays
 *               behind in the kernel to slow down whoever is measured next
 *   -j N        processes (1)
 *   -h IP       the server (127.0.0.1)
 *
 * served: said all, then got the server's end of file (hold, idle: the last reply). turned_away: end of file and nothing else.
 * cut_short: end of file before it had said all; of those who should have been refused, whoever was let in.
 * refused, reset: so says the kernel. failed: any other error, and a reply that must not be.
 */

#define _GNU_SOURCE
#include "visit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST_HOLD = 600 };

struct asked asked = {.clients = 1000, .at_a_time = 40, .jobs = 1, .patience = 60};

static struct tally *tallies;
static double start;

static void usage(void)
{
    fprintf(stderr, "usage: load eof|smtp|refused|hold|rcpt|message|idle PORT [-n N] [-m BYTES] [-c N | -t SECONDS] "
                    "[-s NET/BITS] [-p] [-w SECONDS] [-z] [-j N] [-h IP]\n");
    exit(100);
}

static void *shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        die("share memory");
    return memory;
}

static long part(long whole, long jobs)
{
    return whole * jobs / asked.jobs;
}

static void divide(void)
{
    double *banner = shared(asked.clients * sizeof *banner), *end = shared(asked.clients * sizeof *end);
    tallies = shared(asked.jobs * sizeof *tallies);
    for (long i = 0; i < asked.jobs; ++i) {
        long first = part(asked.clients, i);
        tallies[i] = (struct tally){.first = first,
            .clients = part(asked.clients, i + 1) - first,
            .at_a_time = part(asked.at_a_time, i + 1) - part(asked.at_a_time, i),
            .to_banner = banner + first,
            .to_end = end + first};
    }
}

static void run_all(void)
{
    start = now();
    for (struct tally *share = tallies + 1; share < tallies + asked.jobs; ++share) {
        pid_t pid = fork();
        if (pid < 0)
            die("fork");
        if (!pid) {
            visit(share, start);
            _exit(0);
        }
    }
    visit(tallies, start);
    for (int status; wait(&status) > 0;)
        if (status)
            exit(111);
}

/* The first tally becomes the sum, its arrays the whole. */
static void add_up(void)
{
    struct tally *sum = tallies;
    for (struct tally *one = tallies + 1; one < tallies + asked.jobs; ++one) {
        memmove(sum->to_banner + sum->banners, one->to_banner, one->banners * sizeof *one->to_banner);
        memmove(sum->to_end + sum->served, one->to_end, one->served * sizeof *one->to_end);
        sum->clients += one->clients;
        sum->finished += one->finished;
        sum->served += one->served;
        sum->turned_away += one->turned_away;
        sum->cut_short += one->cut_short;
        sum->refused += one->refused;
        sum->reset += one->reset;
        sum->failed += one->failed;
        sum->banners += one->banners;
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_times(const char *name, double *seconds, long count)
{
    qsort(seconds, count, sizeof *seconds, ascending);
    if (!count)
        printf(", \"%s\": null", name);
    else
        printf(", \"%s\": {\"p50\": %.3f, \"p99\": %.3f, \"max\": %.3f}", name, seconds[(count - 1) / 2] * 1e3,
            seconds[(count - 1) * 99 / 100] * 1e3, seconds[count - 1] * 1e3);
}

static void report(const struct tally *sum)
{
    double seconds = now() - start;
    long happy = asked.mode->holds ? sum->held : sum->served;
    printf("{\"clients\": %ld, \"served\": %ld, \"turned_away\": %ld, \"cut_short\": %ld, \"refused\": %ld, \"reset\": %ld, \"failed\": %ld",
        sum->clients, happy, sum->turned_away, sum->cut_short, sum->refused, sum->reset, sum->failed);
    printf(", \"waiting\": %ld, \"seconds\": %.4f, \"rate\": %.1f", sum->clients - sum->finished - sum->held, seconds,
        (happy + sum->turned_away) / seconds);
    print_times("banner_ms", sum->to_banner, sum->banners);
    print_times("end_ms", sum->to_end, sum->served);
    printf("}\n");
    fflush(stdout);
}

static void read_sources(char *net)
{
    struct in_addr address;
    char *slash = strchr(net, '/');
    int bits = slash ? atoi(slash + 1) : 32;
    if (slash)
        *slash = 0;
    if (inet_pton(AF_INET, net, &address) != 1 || bits < 8 || bits > 30)
        usage();
    asked.sources = ntohl(address.s_addr) + 1;
    asked.source_count = (1u << (32 - bits)) - 2;
}

static void read_options(int argc, char **argv)
{
    int option;
    long message = 2000;
    asked.server = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    while ((option = getopt(argc, argv, "n:m:c:t:s:pw:zj:h:")) != -1)
        switch (option) {
        case 'n': asked.clients = atol(optarg); break;
        case 'm': message = atol(optarg); break;
        case 'c': asked.at_a_time = atol(optarg); break;
        case 't': asked.offer_seconds = atof(optarg); break;
        case 's': read_sources(optarg); break;
        case 'p': asked.proxied = true; break;
        case 'w': asked.patience = atof(optarg); break;
        case 'z': asked.resets = true; break;
        case 'j': asked.jobs = atol(optarg); break;
        case 'h':
            if (inet_pton(AF_INET, optarg, &asked.server.sin_addr) != 1)
                usage();
            break;
        default: usage();
        }
    if (asked.proxied && !asked.source_count)
        usage();
    if (optind + 2 != argc || asked.clients < 1 || message < 1 || asked.at_a_time < 1 || asked.jobs < 1)
        usage();
    asked.mode = mode_named(argv[optind]);
    if (!asked.mode)
        usage();
    asked.server.sin_port = htons(atoi(argv[optind + 1]));
    write_message(message);
}

static void prepare(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        die("read limits");
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) < 0)
        die("raise limits");
    if (asked.mode->holds)
        asked.jobs = 1;
    if (asked.jobs > asked.at_a_time)
        asked.jobs = asked.at_a_time;
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    prepare();
    divide();
    run_all();
    add_up();
    report(tallies);
    if (asked.mode->holds) {
        struct pollfd input = {.fd = 0, .events = POLLIN};
        poll(&input, 1, LONGEST_HOLD * 1000);
    }
    return 0;
}
