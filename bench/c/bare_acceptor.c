/*
 * bare_acceptor PROGRAM: prints its port and starts PROGRAM for every client, until killed.
 *
 * The least that a server can do which starts a program for each client: one process on each CPU accepts, calls
 * posix_spawn and buries. It has no rules, no limit and no log, and what its clients cost is no part of spawn_limit.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "processors.h"

enum { BACKLOG = 1024 };

static void start(char *program, int client)
{
    char *argv[] = {program, NULL};
    char *environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;
    if (posix_spawn_file_actions_init(&actions) != 0 || posix_spawn_file_actions_adddup2(&actions, client, 0) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, client, 1) != 0 ||
        posix_spawn(&pid, program, &actions, NULL, argv, environment) != 0)
        _exit(111);
    posix_spawn_file_actions_destroy(&actions);
}

static void serve(char *program, int listener)
{
    for (int client; (client = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0; close(client)) {
        start(program, client);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
    _exit(111);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: bare_acceptor PROGRAM\n");
        return 100;
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, BACKLOG) < 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        return 111;
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (int i = 0; i < processors(); ++i)
        if (fork() == 0)
            serve(argv[1], listener);
    while (wait(NULL) > 0)
        ;
    return 111;
}
