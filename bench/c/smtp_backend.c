/*
 * smtp_backend: the backend that takes every message and keeps none. Built static, as backend.c is.
 *
 * smtp_backend refuse: takes no recipient. It is also the least that a server behind tcpserver can do to refuse one.
 */

#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { BUFFER = 65536 };

static char buffer[BUFFER];
static size_t filled;
static const char *to_recipient = "250 2.1.5 ok\r\n";

static void say(const char *reply)
{
    if (write(1, reply, strlen(reply)) < 0)
        _exit(111);
}

/* Read behind what is kept of the buffer. */
static void more(size_t kept)
{
    ssize_t size = kept < BUFFER ? read(0, buffer + kept, BUFFER - kept) : 0;
    if (size <= 0)
        _exit(1);
    filled = kept + size;
}

/* Until CRLF.CRLF, which ends what is read: a client has to wait for the reply to it. */
static void content(void)
{
    static const char end[] = "\r\n.\r\n";
    size_t length = sizeof end - 1;
    memcpy(buffer, "\r\n", 2); /* the end of the line DATA may be the one before the dot */
    more(2);
    while (filled < length || memcmp(buffer + filled - length, end, length)) {
        size_t kept = filled < length ? filled : length;
        memmove(buffer, buffer + filled - kept, kept);
        more(kept);
    }
    filled = 0;
}

static void answer(const char *line)
{
    if (!strncasecmp(line, "EHLO", 4))
        say("250-bench.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n");
    else if (!strncasecmp(line, "RCPT", 4))
        say(to_recipient);
    else if (!strncasecmp(line, "DATA", 4)) {
        say("354 go ahead\r\n");
        content();
        say("250 2.0.0 ok\r\n");
    } else if (!strncasecmp(line, "QUIT", 4)) {
        say("221 2.0.0 bye\r\n");
        _exit(0);
    } else
        say("250 2.0.0 ok\r\n");
}

static const char *next_line(void)
{
    static char line[BUFFER];
    char *end;
    while (!(end = memchr(buffer, '\n', filled)))
        more(filled);
    size_t length = end + 1 - buffer;
    memcpy(line, buffer, length - 1);
    line[length - 1] = 0;
    filled -= length;
    memmove(buffer, end + 1, filled);
    return line;
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "refuse"))
        to_recipient = "554 5.7.1 relay access denied\r\n";
    say("220 bench.example\r\n");
    for (;;)
        answer(next_line());
}
