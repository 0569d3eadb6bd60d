/* The clients of one process, with epoll: each comes, says its lines and leaves. Never prints and never forks. */

#define _GNU_SOURCE
#include "visit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256 };

/* says: its next line. replies: how the next replies must begin. unsent, left: what the kernel has
   not yet taken, for room in which the client waits. */
struct client {
    int fd;
    bool greeted, stays, waits;
    const struct line *says;
    const char *replies, *unsent;
    size_t left;
    char header[28];
    struct reply reply;
    double begun;
};

static struct tally *mine;
static struct client *room;
static long *vacant, vacancies, begun; /* vacant: a stack of places in the room */
static double start, moment;
static int poller;

double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

void die(const char *what)
{
    fprintf(stderr, "load: fatal: unable to %s: %s\n", what, strerror(errno));
    exit(111);
}

static void watch(const struct client *client, int how, uint32_t more)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | more, .data.u64 = client - room};
    if (epoll_ctl(poller, how, client->fd, &event) < 0)
        die("watch a socket");
}

static void leave(struct client *client)
{
    static const struct linger none = {.l_onoff = 1, .l_linger = 0};
    if (asked.resets)
        setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(client->fd);
    vacant[vacancies++] = client - room;
    mine->held -= client->stays;
    ++mine->finished;
}

static void lose(struct client *client, int error)
{
    ++*(error == ECONNREFUSED ? &mine->refused : error == ECONNRESET || error == EPIPE ? &mine->reset : &mine->failed);
    leave(client);
}

static uint32_t nth_source(long number)
{
    return htonl(asked.sources + (mine->first + number) % asked.source_count);
}

static void take_source(int fd)
{
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = nth_source(begun)};
    int one = 1;
    /* the port is chosen by connect: the same one may then serve many addresses */
    if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one) < 0)
        die("set a socket option");
    if (bind(fd, (struct sockaddr *)&source, sizeof source) < 0)
        die("bind to a source address");
}

static bool push(struct client *client);

/* Write a proxy's header: from the source of the next client, port 1025, to 127.0.0.1 25 (proxy-protocol.txt, 2.2). */
static void tell_source(struct client *client)
{
    static const char fixed[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\14....\x7f\0\0\1\4\1\0\31";
    uint32_t told = nth_source(begun + 1);
    memcpy(client->header, fixed, sizeof client->header);
    memcpy(client->header + 16, &told, sizeof told);
    client->unsent = client->header;
    client->left = sizeof client->header;
}

static void knock(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("create a socket");
    if (asked.source_count)
        take_source(fd);
    struct client *client = &room[vacant[--vacancies]];
    *client = (struct client){.fd = fd, .says = asked.mode->says, .replies = asked.mode->replies, .begun = moment};
    if (asked.proxied)
        tell_source(client);
    ++begun;
    if (connect(fd, (struct sockaddr *)&asked.server, sizeof asked.server) < 0 && errno != EINPROGRESS) {
        lose(client, errno);
        return;
    }
    watch(client, EPOLL_CTL_ADD, 0);
    if (client->left)
        push(client);
}

static void end(struct client *client)
{
    if (!client->greeted)
        ++mine->turned_away;
    else if (client->left || client->says->text || (client->replies && *client->replies))
        ++mine->cut_short;
    else
        mine->to_end[mine->served++] = moment - client->begun;
    leave(client);
}

/* Send what the kernel takes; the rest when it has room. */
static bool push(struct client *client)
{
    ssize_t sent = send(client->fd, client->unsent, client->left, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) {
        lose(client, errno);
        return false;
    }
    if (sent > 0) {
        client->unsent += sent;
        client->left -= sent;
    }
    if (client->waits != (client->left > 0)) {
        client->waits = !client->waits;
        watch(client, EPOLL_CTL_MOD, client->waits ? EPOLLOUT : 0);
    }
    return true;
}

static bool say(struct client *client)
{
    if (!client->says->text) {
        client->stays = asked.mode->holds;
        mine->held += client->stays;
        return true;
    }
    client->unsent = client->says->text;
    client->left = client->says->length;
    ++client->says;
    return push(client);
}

static bool hear(struct client *client, const char *data, size_t size)
{
    if (!client->greeted) {
        client->greeted = true;
        mine->to_banner[mine->banners++] = moment - client->begun;
    }
    if (!ends_reply(&client->reply, data, size))
        return true;
    if (client->left || (client->replies && client->reply.first != *client->replies++)) {
        lose(client, EPROTO);
        return false;
    }
    return client->stays || say(client);
}

static void serve(struct client *client, uint32_t events)
{
    char data[4096];
    if (events & EPOLLOUT && !push(client))
        return;
    if (!(events & ~EPOLLOUT))
        return;
    do {
        ssize_t size = read(client->fd, data, sizeof data);
        if (size < 0) {
            if (errno != EAGAIN)
                lose(client, errno);
            return;
        }
        if (size == 0) {
            end(client);
            return;
        }
        if (!hear(client, data, size))
            return;
    } while (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

static void make_room(void)
{
    long places = asked.offer_seconds > 0 || asked.mode->holds ? mine->clients : mine->at_a_time;
    room = calloc(places, sizeof *room);
    vacant = calloc(places, sizeof *vacant);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (!room || !vacant || poller < 0)
        die("prepare");
    for (vacancies = 0; vacancies < places; ++vacancies)
        vacant[vacancies] = vacancies;
}

/* How many clients may have come by now. */
static long due(void)
{
    if (asked.mode->holds) {
        long next = mine->finished + mine->held + mine->at_a_time;
        return next < mine->clients ? next : mine->clients;
    }
    if (asked.offer_seconds <= 0)
        return mine->clients;
    double part = (moment - start) / asked.offer_seconds;
    return part >= 1 ? mine->clients : (long)(part * mine->clients);
}

void visit(struct tally *share, double begin)
{
    struct epoll_event events[EVENTS];
    mine = share;
    start = moment = begin;
    make_room();
    while (mine->finished + mine->held < mine->clients && moment - start < asked.patience) {
        for (long until = due(); begun < until && vacancies;)
            knock();
        int count = epoll_wait(poller, events, EVENTS, begun < mine->clients && asked.offer_seconds > 0 ? 1 : 100);
        moment = now(); /* once for all that happened meanwhile */
        for (int i = 0; i < count; ++i)
            serve(&room[events[i].data.u64], events[i].events);
    }
}
