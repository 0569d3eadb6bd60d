/*
 * spawn_limit PROGRAM SECONDS: how many processes a second this machine can start and bury, prints the rate.
 *
 * One process on each CPU calls posix_spawn and waits, again and again. No server that starts a program for every
 * client can be faster; this one knows no client.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "processors.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static long spawn_until(double end, char *program)
{
    char *argv[] = {program, NULL};
    char *environment[] = {NULL};
    long count = 0;
    while (now() < end) {
        pid_t pid;
        if (posix_spawn(&pid, program, NULL, NULL, argv, environment) != 0 || waitpid(pid, NULL, 0) != pid)
            _exit(1);
        ++count;
    }
    return count;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: spawn_limit PROGRAM SECONDS\n");
        return 100;
    }
    double begin = now(), seconds = atof(argv[2]);
    int counts[2], spawners = processors(), report = dup(1);
    if (report < 0 || pipe(counts) < 0 || dup2(open("/dev/null", O_WRONLY), 1) < 0)
        return 111;
    for (int i = 0; i < spawners; ++i)
        if (fork() == 0) {
            long count = spawn_until(begin + seconds, argv[1]);
            _exit(write(counts[1], &count, sizeof count) != sizeof count);
        }
    close(counts[1]);
    long total = 0;
    int heard = 0;
    for (long count; read(counts[0], &count, sizeof count) == sizeof count; ++heard)
        total += count;
    if (heard < spawners)
        return 111;
    dprintf(report, "%.1f\n", total / (now() - begin));
    return 0;
}
