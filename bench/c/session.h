/* What a client of load.c says, and when it has been answered. */

#include <stdbool.h>
#include <stddef.h>

struct line {
    const char *text;
    size_t length;
};

/*
 * says: its lines, one for each reply of the server, the last one empty. replies: how these must begin, the banner
 * first; NULL = however they like. holds: it stays when it has said all and was answered.
 */
struct mode {
    const char *name;
    const struct line *says;
    const char *replies;
    bool holds;
};

/* The reply that is being read; RFC 5321, 4.2.1: the last of its lines has no hyphen behind the code. */
struct reply {
    size_t column;
    char first, mark;
};

/* The mode of this name, NULL where there is none. */
const struct mode *mode_named(const char *name);

/* Make the message as long as this, header, last dot and all. */
void write_message(size_t length);

/* Whether these bytes are the last ones of a reply. */
bool ends_reply(struct reply *reply, const char *data, size_t size);
