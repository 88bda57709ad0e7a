/*
 * A customer's web server for measuring: answers every request with 200 and counts.
 *
 *     sink PORT
 *
 * PORT 0 takes a free one; the first line on stdout is the port. After that each line on stdin is a command:
 *
 *     figures    answers one line of name=number
 *     reset      sets all figures and counts to 0
 *     counts     answers "NUMBER TIMES" for each message that was told of, then "."
 *
 * A message is known by its mobile, which stands in the request as "4479<eight digits>" in quotation marks:
 * those digits are its number.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_NUMBERS 20000000
#define MOST_CONNECTIONS 4096
#define BUFFER (1 << 17)

static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nOK";
static const char PREFIX[] = "\"4479";

struct connection {
    size_t length;
    char bytes[BUFFER];
};

static struct {
    uint64_t requests, unique, repeated, connections;
} figures;

static struct connection *connections[MOST_CONNECTIONS];
static uint8_t *times_told; /* by message number */

static void fail(const char *why)
{
    fprintf(stderr, "sink: %s\n", why);
    exit(1);
}

static void count(const char *request, size_t length)
{
    figures.requests++;
    const char *digits = memmem(request, length, PREFIX, sizeof PREFIX - 1);
    if (!digits)
        return;
    uint32_t number = strtoul(digits + sizeof PREFIX - 1, NULL, 10);
    if (number >= MOST_NUMBERS)
        return;
    if (times_told[number])
        figures.repeated++;
    else
        figures.unique++;
    if (times_told[number] < 255)
        times_told[number]++;
}

/* The length of the request at the buffer's start, 0 while it is not all there. */
static size_t request_length(const char *bytes, size_t length)
{
    const char *blank_line = memmem(bytes, length, "\r\n\r\n", 4);
    if (!blank_line)
        return 0;
    size_t head = blank_line + 4 - bytes, body = 0;
    for (const char *line = bytes; line < blank_line;) {
        const char *end = memmem(line, blank_line + 2 - line, "\r\n", 2);
        if (!strncasecmp(line, "content-length:", 15))
            body = strtoul(line + 15, NULL, 10);
        line = end + 2;
    }
    return head + body <= length ? head + body : 0;
}

static void close_connection(int fd)
{
    free(connections[fd]);
    connections[fd] = NULL;
    close(fd);
}

static void read_and_answer(int fd)
{
    static char answers[BUFFER];
    struct connection *from = connections[fd];
    ssize_t got = recv(fd, from->bytes + from->length, BUFFER - 1 - from->length, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        close_connection(fd);
        return;
    }
    from->length += got;
    from->bytes[from->length] = 0;
    size_t start = 0, length, answered = 0;
    while ((length = request_length(from->bytes + start, from->length - start))) {
        count(from->bytes + start, length);
        start += length;
        memcpy(answers + answered, ANSWER, sizeof ANSWER - 1);
        answered += sizeof ANSWER - 1;
        if (answered + sizeof ANSWER > sizeof answers)
            break;
    }
    memmove(from->bytes, from->bytes + start, from->length - start);
    from->length -= start;
    if (answered && send(fd, answers, answered, MSG_NOSIGNAL) < 0)
        close_connection(fd);
}

static void open_connection(int listener, int poller)
{
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (fd >= MOST_CONNECTIONS) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connections[fd] = malloc(sizeof(struct connection));
    if (!connections[fd])
        fail("out of memory");
    connections[fd]->length = 0;
    figures.connections++;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
}

static void command(const char *line)
{
    if (!strcmp(line, "figures")) {
        printf("requests=%lu unique=%lu repeated=%lu connections=%lu\n", figures.requests, figures.unique,
               figures.repeated, figures.connections);
    } else if (!strcmp(line, "reset")) {
        memset(times_told, 0, MOST_NUMBERS);
        memset(&figures, 0, sizeof figures);
        puts("reset=1");
    } else if (!strcmp(line, "counts")) {
        for (uint32_t number = 0; number < MOST_NUMBERS; number++)
            if (times_told[number])
                printf("%u %u\n", number, times_told[number]);
        puts(".");
    } else {
        fprintf(stderr, "sink: no command is called %s\n", line);
    }
    fflush(stdout);
}

/* Whoever started us is gone when stdin ends: so are we. */
static void read_commands(void)
{
    static char lines[4096];
    static size_t length;
    ssize_t got = read(STDIN_FILENO, lines + length, sizeof lines - 1 - length);
    if (got <= 0)
        exit(0);
    length += got;
    lines[length] = 0;
    for (char *end; (end = strchr(lines, '\n'));) {
        *end = 0;
        command(lines);
        length -= end + 1 - lines;
        memmove(lines, end + 1, length + 1);
    }
}

static int listen_on(int port)
{
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 1024) < 0)
        fail(strerror(errno));
    getsockname(listener, (struct sockaddr *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(int count_of_arguments, char **arguments)
{
    if (count_of_arguments != 2)
        fail("usage: sink PORT");
    times_told = calloc(MOST_NUMBERS, 1);
    if (!times_told)
        fail("out of memory");
    signal(SIGPIPE, SIG_IGN);
    int listener = listen_on(atoi(arguments[1])), poller = epoll_create1(0);
    struct epoll_event on_listener = {.events = EPOLLIN, .data.fd = listener};
    struct epoll_event on_stdin = {.events = EPOLLIN, .data.fd = STDIN_FILENO};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &on_listener);
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &on_stdin);
    for (;;) {
        struct epoll_event events[64];
        int ready = epoll_wait(poller, events, 64, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener)
                open_connection(listener, poller);
            else if (fd == STDIN_FILENO)
                read_commands();
            else if (connections[fd])
                read_and_answer(fd);
        }
    }
}
