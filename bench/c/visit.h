/* What load.c asks of visit.c, and what it gets: clients on loopback, and a tally of their fates. */

#include "session.h"

#include <netinet/in.h>
#include <stdint.h>

/* sources: the first address to come from and how many there are, 0 = the kernel's choice. */
struct asked {
    const struct mode *mode;
    long clients, at_a_time, jobs;
    double offer_seconds, patience;
    bool resets, proxied;
    struct sockaddr_in server;
    uint32_t sources, source_count;
};

/* What came of one process's share; the times are in seconds, in that process's part of the shared arrays. */
struct tally {
    long first, clients, at_a_time;
    long finished, held, served, turned_away, cut_short, refused, reset, failed, banners;
    double *to_banner, *to_end;
};

extern struct asked asked;

double now(void);
void die(const char *what);

/* Send one process's clients; returns when all are finished or held, or patience is over. */
void visit(struct tally *share, double begin);
