/*
 * milter PATH look|reply|add|change: a milter at a Unix socket that answers at once, for all its connections in one process.
 *
 *   look    hears of all but the body, says nothing before the end of a message, and changes nothing
 *   reply   the same, but says to each that it goes on
 *   add     hears of all, and adds a header
 *   change  hears of all, adds a header, and puts another body as long as the one that came into its place
 *
 * libmilter's protocol, version 6 (mfdef.h). One that speaks otherwise is left.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { EVENTS = 64, CHUNK = 65535, PACKET = CHUNK + 5 };
enum { ADDHDRS = 0x1, CHGBODY = 0x2, NOBODY = 0x10 };
/* No replies to CONNECT, HELO, MAIL, RCPT, DATA, headers and their end. */
enum { NO_REPLIES = 0x80 | 0x1000 | 0x2000 | 0x4000 | 0x8000 | 0x10000 | 0x40000 };

/* filled: bytes of packets that are not whole yet. body: bytes that have come of one. next: of those that have left. */
struct client {
    int fd;
    struct client *next;
    size_t filled, body;
    unsigned char buffer[2 * PACKET];
};

static bool changes, adds, replies;
static unsigned char body[PACKET];
static struct client *left;

static void die(const char *what)
{
    fprintf(stderr, "milter: fatal: unable to %s: %s\n", what, strerror(errno));
    exit(111);
}

static void put_number(unsigned char *at, uint32_t number)
{
    for (int i = 0; i < 4; ++i)
        at[i] = number >> (24 - 8 * i);
}

static uint32_t number(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static bool say(struct client *client, const unsigned char *data, size_t size)
{
    while (size) {
        ssize_t sent = write(client->fd, data, size);
        if (sent < 0)
            return false;
        data += sent;
        size -= sent;
    }
    return true;
}

static bool go_on(struct client *client)
{
    return say(client, (const unsigned char *)"\0\0\0\1c", 5);
}

static bool negotiate(struct client *client)
{
    unsigned char packet[17] = "\0\0\0\15O";
    put_number(packet + 5, 6);
    put_number(packet + 9, changes ? ADDHDRS | CHGBODY : adds ? ADDHDRS : 0);
    put_number(packet + 13, changes || adds ? 0 : replies ? NOBODY : NOBODY | NO_REPLIES);
    return say(client, packet, sizeof packet);
}

static bool end(struct client *client)
{
    static const unsigned char header[] = "\0\0\0\14hX-Seen\0yes";
    if ((adds || changes) && !say(client, header, sizeof header))
        return false;
    for (size_t size; changes && client->body; client->body -= size) {
        size = client->body < CHUNK ? client->body : CHUNK;
        put_number(body, size + 1);
        if (!say(client, body, size + 5))
            return false;
    }
    client->body = 0;
    return go_on(client);
}

static bool hear(struct client *client, unsigned char command, size_t size)
{
    switch (command) {
    case 'O': return negotiate(client);
    case 'E': return end(client);
    case 'D': case 'A': return true;
    case 'K': return true;
    case 'Q': return false;
    case 'B': client->body += size;
        return go_on(client);
    default: return !(changes || adds || replies) || go_on(client);
    }
}

/* Whether it stays. */
static bool serve(struct client *client)
{
    ssize_t size = read(client->fd, client->buffer + client->filled, sizeof client->buffer - client->filled);
    if (size <= 0)
        return false;
    client->filled += size;
    size_t at = 0;
    while (client->filled - at > 4) {
        uint32_t length = number(client->buffer + at);
        if (length < 1 || length > PACKET - 4)
            return false;
        if (client->filled - at < length + 4)
            break;
        if (!hear(client, client->buffer[at + 4], length - 1))
            return false;
        at += length + 4;
    }
    client->filled -= at;
    memmove(client->buffer, client->buffer + at, client->filled);
    return true;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1024) < 0)
        die("listen");
    return fd;
}

static void watch(int poller, int fd, void *client)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0)
        die("watch a socket");
}

static void let_in(int poller, int listening)
{
    struct client *client = left;
    if (client)
        left = client->next;
    else if (!(client = malloc(sizeof *client)))
        die("make room");
    client->fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    client->filled = client->body = 0;
    if (client->fd < 0)
        die("accept");
    watch(poller, client->fd, client);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    if (argc != 3) {
        fprintf(stderr, "usage: milter PATH look|reply|add|change\n");
        return 100;
    }
    adds = !strcmp(argv[2], "add");
    changes = !strcmp(argv[2], "change");
    replies = !strcmp(argv[2], "reply");
    body[4] = 'b';
    for (size_t i = 5; i < sizeof body; ++i)
        body[i] = (i - 4) % 77 ? 'x' : '\n';
    int listening = listen_at(argv[1]), poller = epoll_create1(EPOLL_CLOEXEC);
    watch(poller, listening, NULL);
    for (;;) {
        int count = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < count; ++i) {
            struct client *client = events[i].data.ptr;
            if (!client)
                let_in(poller, listening);
            else if (!serve(client)) {
                close(client->fd);
                client->next = left;
                left = client;
            }
        }
    }
}
