/* The sessions that a client can have, line by line. Never touches a socket. */

#include "session.h"

#include <stdlib.h>
#include <string.h>

#define LINE(text) {text, sizeof text - 1}

static const struct line nothing[] = {{0}};
static const struct line quit[] = {LINE("QUIT\r\n"), {0}};
static const struct line screened[] = {LINE("HELO bench.example\r\n"), LINE("MAIL FROM:<a@bench.example>\r\n"),
    LINE("RCPT TO:<b@bench.example>\r\n"), LINE("QUIT\r\n"), {0}};
static const struct line stranger[] = {LINE("EHLO bench.example\r\n"), LINE("MAIL FROM:<a@bench.example>\r\n"),
    LINE("RCPT TO:<b@elsewhere.example>\r\n"), LINE("QUIT\r\n"), {0}};
static const struct line ehlo[] = {LINE("EHLO bench.example\r\n"), {0}};

enum { MESSAGE = 4 };
static struct line letter[] = {LINE("EHLO bench.example\r\n"), LINE("MAIL FROM:<a@bench.example>\r\n"),
    LINE("RCPT TO:<b@bench.example>\r\n"), LINE("DATA\r\n"), [MESSAGE] = {0}, LINE("QUIT\r\n"), {0}};

static const struct mode modes[] = {{"eof", nothing, NULL, false}, {"smtp", quit, NULL, false},
    {"refused", screened, NULL, false}, {"hold", nothing, NULL, true}, {"rcpt", stranger, "22252", false},
    {"message", letter, "2222322", false}, {"idle", ehlo, "22", true}};

const struct mode *mode_named(const char *name)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; ++i)
        if (!strcmp(modes[i].name, name))
            return &modes[i];
    return NULL;
}

void write_message(size_t length)
{
    static const char header[] = "From: <a@bench.example>\r\nTo: <b@bench.example>\r\nSubject: bench\r\n\r\n";
    static const char body[] = "QSBsaW5lIG9mIGJhc2U2NCwgYXMgYXR0YWNobWVudHMgYXJlIG1hZGUgb2YsIDc2IGxldHRlcnM=\r\n";
    static const char dot[] = "\r\n.\r\n";
    size_t begin = sizeof header - 1, end = sizeof dot - 1;
    if (length < begin + end)
        length = begin + end;
    char *text = malloc(length);
    if (!text)
        abort();
    memcpy(text, header, begin);
    for (size_t i = begin; i < length - end; ++i)
        text[i] = body[(i - begin) % (sizeof body - 1)];
    memcpy(text + length - end, dot, end);
    letter[MESSAGE] = (struct line){text, length};
}

bool ends_reply(struct reply *reply, const char *data, size_t size)
{
    bool ended = false;
    for (const char *byte = data; byte < data + size; ++byte) {
        if (reply->column == 0)
            reply->first = *byte;
        if (reply->column == 3)
            reply->mark = *byte;
        ++reply->column;
        if (*byte == '\n') {
            ended = reply->mark != '-';
            reply->column = 0;
        }
    }
    return ended;
}
