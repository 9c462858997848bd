/* The load on an echo server: connections that each send 64 bytes and wait for them to come back, over and over.
 *
 *     load PORT CONNECTIONS CPU      CPU -1 leaves the choice to the host
 *
 * It says "ready" when all are connected. A line with a number on its input is an order for so many round trips over
 * all connections; the answer is a line with the nanoseconds they took and the median and the 99th percentile of a
 * single one. It is C since it has to be faster than every server that is measured with it.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SIZE 64
#define EVENTS 512

struct connection {
    int fd, missing; /* bytes of the answer */
    long long began;
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int by_size(const void *one, const void *other)
{
    long long a = *(const long long *)one, b = *(const long long *)other;
    return (a > b) - (a < b);
}

static void ask(struct connection *connection)
{
    static const char message[SIZE];
    connection->missing = SIZE;
    connection->began = now();
    if (send(connection->fd, message, SIZE, MSG_NOSIGNAL) != SIZE)
        fail("send");
}

static void measure(int epoll, struct connection *connections, long count, long wanted)
{
    static struct epoll_event events[EVENTS];
    long long *took = malloc(wanted * sizeof *took), began = now(), ended;
    long asked, answered = 0;

    if (!took)
        fail("malloc");
    for (asked = 0; asked < count && asked < wanted; asked++)
        ask(&connections[asked]);
    while (answered < wanted) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            char answer[SIZE];
            ssize_t moved = recv(connection->fd, answer, connection->missing, 0);
            if (moved <= 0)
                fail("recv");
            connection->missing -= moved;
            if (connection->missing)
                continue;
            took[answered++] = now() - connection->began;
            if (asked < wanted) {
                asked++;
                ask(connection);
            }
        }
    }
    ended = now();
    qsort(took, wanted, sizeof *took, by_size);
    printf("%lld %lld %lld\n", ended - began, took[wanted / 2], took[wanted * 99 / 100]);
    free(took);
}

int main(int argc, char **argv)
{
    long count = argc == 4 ? atol(argv[2]) : 0, wanted;
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct connection *connections = calloc(count, sizeof *connections);
    struct rlimit limit;
    cpu_set_t set;
    int epoll = epoll_create1(0), on = 1;

    if (count < 1 || !connections)
        return 2;
    server.sin_port = htons(atoi(argv[1]));
    if (!getrlimit(RLIMIT_NOFILE, &limit)) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    CPU_ZERO(&set);
    if (atoi(argv[3]) >= 0) {
        CPU_SET(atoi(argv[3]), &set);
        if (sched_setaffinity(0, sizeof set, &set))
            fail("sched_setaffinity");
    }
    for (long i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};
        int fd = connections[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof server))
            fail("connect");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
            fail("epoll_ctl");
    }
    puts("ready");
    fflush(stdout);
    while (scanf("%ld", &wanted) == 1) {
        measure(epoll, connections, count, wanted);
        fflush(stdout);
    }
    return 0;
}
