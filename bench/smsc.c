/*
 * A neutral SMSC for measuring: it takes every submit_sm over SMPP 3.4, sends one receipt for each that wants
 * one, and counts. It knows no provider's ways and refuses nothing, so that what is measured is its client.
 *
 *     smsc PORT RECEIPT_DELAY_MS
 *
 * PORT 0 takes a free one; the first line on stdout is the port. After that each line on stdin is a command:
 *
 *     figures             answers one line of name=number
 *     reset               sets all figures and counts to 0
 *     counts              answers "NUMBER TIMES" for each message number that was submitted, then "."
 *     inbound COUNT TO    sends COUNT messages from mobiles to the number TO, as fast as they are acknowledged
 *
 * Message numbers are read from texts that begin with "m<number>". Receipts and inbound messages that were not
 * acknowledged when a connection ended are sent again on the next one.
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
#include <time.h>
#include <unistd.h>

#define MOST_NUMBERS 20000000 /* message numbers that are counted */
#define MOST_WAITING (1 << 20) /* deliveries that wait for their time or for a window */
#define MOST_CONNECTIONS 1024
#define DELIVERY_WINDOW 1000 /* deliver_sm on their way on one connection; less than SLOTS */
#define SLOTS 4096

/* SMPP 3.4, 5.1.2.1: command ids. */
enum {
    BIND_RECEIVER = 0x01,
    BIND_TRANSMITTER = 0x02,
    SUBMIT_SM = 0x04,
    DELIVER_SM = 0x05,
    UNBIND = 0x06,
    BIND_TRANSCEIVER = 0x09,
    ENQUIRE_LINK = 0x15,
    RESPONSE = 0x80000000u,
};

/* SMPP 3.4, 5.3.2: tags of optional parameters. */
enum { RECEIPTED_MESSAGE_ID = 0x001e, MESSAGE_PAYLOAD = 0x0424, MESSAGE_STATE = 0x0427 };

/* One deliver_sm to come: a receipt, or an inbound message where `id` is 0. */
struct delivery {
    uint64_t due_ms;
    uint32_t id;     /* our message id */
    uint32_t number; /* of an inbound message */
    char source[24], destination[24];
};

struct buffer {
    uint8_t *bytes;
    size_t start, end, size;
};

struct connection {
    int fd;
    struct buffer in, out;
    int receives; /* bound as receiver or transceiver */
    int writing;  /* waits for room in the socket */
    uint32_t sequence, on_their_way;
    struct delivery sent[SLOTS]; /* by sequence number, until acknowledged */
    uint8_t waits[SLOTS];
};

static struct {
    uint64_t submitted, unique, repeated, unnumbered, parts, receipts, acknowledged, inbound, inbound_acknowledged;
    uint64_t bound; /* binds made */
} figures;

static uint8_t *times_submitted; /* by message number */
static struct delivery *waiting; /* a ring */
static size_t first_waiting, last_waiting;
static struct connection *connections[MOST_CONNECTIONS];
static int receivers[MOST_CONNECTIONS], receiver_count, next_receiver;
static int poller, receipt_delay_ms;
static uint32_t next_id;

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

static void fail(const char *why)
{
    fprintf(stderr, "smsc: %s\n", why);
    exit(1);
}

/* --- bytes */

static uint32_t read32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint8_t *write32(uint8_t *at, uint32_t value)
{
    at[0] = value >> 24, at[1] = value >> 16, at[2] = value >> 8, at[3] = value;
    return at + 4;
}

static uint8_t *write16(uint8_t *at, uint32_t value)
{
    at[0] = value >> 8, at[1] = value;
    return at + 2;
}

static uint8_t *write_text(uint8_t *at, const char *text)
{
    return (uint8_t *)stpcpy((char *)at, text) + 1;
}

/* The C-octet string at *at, which moves behind it; never behind `end`. */
static const char *read_text(const uint8_t **at, const uint8_t *end)
{
    const uint8_t *nul = *at < end ? memchr(*at, 0, end - *at) : NULL;
    const char *text = nul ? (const char *)*at : "";
    *at = nul ? nul + 1 : end;
    return text;
}

static void make_room(struct buffer *buffer, size_t length)
{
    if (buffer->start) {
        memmove(buffer->bytes, buffer->bytes + buffer->start, buffer->end - buffer->start);
        buffer->end -= buffer->start;
        buffer->start = 0;
    }
    while (buffer->size < buffer->end + length) {
        buffer->size = buffer->size ? buffer->size * 2 : 1 << 16;
        buffer->bytes = realloc(buffer->bytes, buffer->size);
        if (!buffer->bytes)
            fail("out of memory");
    }
}

/* Append one PDU whose body stands behind 16 free bytes at `pdu`, all of it `length` bytes. */
static void put(struct connection *to, uint8_t *pdu, size_t length, uint32_t command, uint32_t sequence)
{
    write32(write32(write32(write32(pdu, length), command), 0), sequence);
    if (to->out.size < to->out.end + length)
        make_room(&to->out, length);
    memcpy(to->out.bytes + to->out.end, pdu, length);
    to->out.end += length;
}

/* --- connections */

static void watch(struct connection *connection, int operation, int writing)
{
    struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0), .data.fd = connection->fd};
    epoll_ctl(poller, operation, connection->fd, &event);
    connection->writing = writing;
}

static void open_connection(int listener)
{
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0)
        return;
    if (fd >= MOST_CONNECTIONS) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connections[fd] = calloc(1, sizeof(struct connection));
    if (!connections[fd])
        fail("out of memory");
    connections[fd]->fd = fd;
    watch(connections[fd], EPOLL_CTL_ADD, 0);
}

static void wait_for_turn(const struct delivery *delivery)
{
    if (last_waiting - first_waiting == MOST_WAITING)
        fail("more than a million deliveries wait; the client takes none");
    waiting[last_waiting++ % MOST_WAITING] = *delivery;
}

static void close_connection(struct connection *connection)
{
    for (int slot = 0; slot < SLOTS; slot++)
        if (connection->waits[slot])
            wait_for_turn(&connection->sent[slot]);
    for (int i = 0; i < receiver_count; i++)
        if (receivers[i] == connection->fd) {
            receivers[i] = receivers[--receiver_count];
            break;
        }
    close(connection->fd);
    connections[connection->fd] = NULL;
    free(connection->in.bytes);
    free(connection->out.bytes);
    free(connection);
}

/* Send what waits; returns -1 when the connection is gone. */
static int flush(struct connection *connection)
{
    struct buffer *out = &connection->out;
    while (out->start < out->end) {
        ssize_t sent = send(connection->fd, out->bytes + out->start, out->end - out->start, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            if (!connection->writing)
                watch(connection, EPOLL_CTL_MOD, 1);
            return 0;
        }
        if (sent < 0)
            return -1;
        out->start += sent;
    }
    out->start = out->end = 0;
    if (connection->writing)
        watch(connection, EPOLL_CTL_MOD, 0);
    return 0;
}

/* --- what clients ask */

static void count(const uint8_t *text, size_t length)
{
    uint32_t number = 0;
    if (length < 2 || text[0] != 'm' || text[1] < '0' || text[1] > '9') {
        figures.unnumbered++;
        return;
    }
    for (size_t i = 1; i < length && text[i] >= '0' && text[i] <= '9' && number < MOST_NUMBERS; i++)
        number = number * 10 + text[i] - '0';
    if (number >= MOST_NUMBERS) {
        figures.unnumbered++;
        return;
    }
    if (times_submitted[number])
        figures.repeated++;
    else
        figures.unique++;
    if (times_submitted[number] < 255)
        times_submitted[number]++;
}

/* SMPP 3.4, 4.4.1. */
static void submit(struct connection *from, const uint8_t *pdu, const uint8_t *end, uint32_t sequence)
{
    const uint8_t *at = pdu + 16;
    figures.submitted++;
    read_text(&at, end); /* service_type */
    at += 2;
    const char *source = read_text(&at, end);
    at += 2;
    const char *destination = read_text(&at, end);
    uint8_t esm_class = at < end ? *at : 0;
    at += 3;             /* and protocol_id, priority_flag */
    read_text(&at, end); /* schedule_delivery_time */
    read_text(&at, end); /* validity_period */
    uint8_t registered = at < end ? *at : 0;
    at += 4; /* and replace_if_present_flag, data_coding, sm_default_msg_id */
    size_t length = at < end ? *at++ : 0;
    const uint8_t *text = at;
    if (at + length > end)
        length = 0;
    for (at += length; !length && at + 4 <= end;) { /* no text: it may be a message_payload */
        size_t size = at[2] << 8 | at[3];
        if ((at[0] << 8 | at[1]) == MESSAGE_PAYLOAD && at + 4 + size <= end) {
            text = at + 4;
            length = size;
        }
        at += 4 + size;
    }
    if (esm_class & 0x40 && length > 1u + text[0]) { /* a user data header stands before the text */
        figures.parts++;
        length -= 1 + text[0];
        text += 1 + text[0];
    }
    count(text, length);

    uint8_t answer[64];
    struct delivery receipt = {.due_ms = receipt_delay_ms ? now_ms() + receipt_delay_ms : 0, .id = next_id++};
    uint8_t *behind = answer + 16;
    behind += sprintf((char *)behind, "%u", receipt.id) + 1;
    put(from, answer, behind - answer, SUBMIT_SM | RESPONSE, sequence);
    if ((registered & 3) == 1) {
        snprintf(receipt.source, sizeof receipt.source, "%s", source);
        snprintf(receipt.destination, sizeof receipt.destination, "%s", destination);
        wait_for_turn(&receipt);
    }
}

static void acknowledge(struct connection *connection, uint32_t sequence)
{
    uint32_t slot = sequence % SLOTS;
    if (!connection->waits[slot])
        return;
    connection->waits[slot] = 0;
    connection->on_their_way--;
    if (connection->sent[slot].id)
        figures.acknowledged++;
    else
        figures.inbound_acknowledged++;
}

static void handle(struct connection *from, const uint8_t *pdu, uint32_t length)
{
    uint32_t command = read32(pdu + 4), sequence = read32(pdu + 12);
    uint8_t answer[64];
    switch (command) {
    case SUBMIT_SM:
        submit(from, pdu, pdu + length, sequence);
        break;
    case BIND_RECEIVER:
    case BIND_TRANSCEIVER:
        from->receives = 1;
        figures.bound++;
        receivers[receiver_count++] = from->fd;
        /* fall through */
    case BIND_TRANSMITTER:
        put(from, answer, write_text(answer + 16, "SIM") - answer, command | RESPONSE, sequence);
        break;
    case ENQUIRE_LINK:
    case UNBIND:
        put(from, answer, 16, command | RESPONSE, sequence);
        break;
    case DELIVER_SM | RESPONSE:
        acknowledge(from, sequence);
        break;
    }
}

static int read_and_handle(struct connection *connection)
{
    struct buffer *in = &connection->in;
    make_room(in, 1 << 16);
    ssize_t got = recv(connection->fd, in->bytes + in->end, in->size - in->end, 0);
    if (got < 0 && errno == EAGAIN)
        return 0;
    if (got <= 0)
        return -1;
    in->end += got;
    while (in->end - in->start >= 16) {
        uint32_t length = read32(in->bytes + in->start);
        if (length < 16 || length > 1 << 16)
            return -1;
        if (in->end - in->start < length)
            break;
        handle(connection, in->bytes + in->start, length);
        in->start += length;
    }
    return flush(connection);
}

/* --- deliveries */

/* SMPP 3.4, 4.6.1 and appendix B. */
static void deliver(struct connection *to, const struct delivery *delivery, const char *date)
{
    uint8_t pdu[512], *at = pdu + 16;
    char text[200];
    int length;
    *at++ = 0; /* service_type */
    at = write_text(write16(at, 0x0101), delivery->destination);
    at = write_text(write16(at, 0x0101), delivery->source);
    *at++ = delivery->id ? 4 : 0; /* esm_class: a receipt, or a message */
    memset(at, 0, 8);
    at += 8;
    if (delivery->id)
        length = sprintf(text, "id:%u sub:001 dlvrd:001 submit date:%s done date:%s stat:DELIVRD err:000 text:x",
                         delivery->id, date, date);
    else
        length = sprintf(text, "i%u Hello from a mobile", delivery->number);
    *at++ = length;
    at = mempcpy(at, text, length);
    if (delivery->id) {
        length = sprintf(text, "%u", delivery->id) + 1;
        at = mempcpy(write16(write16(at, RECEIPTED_MESSAGE_ID), length), text, length);
        at = write16(write16(at, MESSAGE_STATE), 1);
        *at++ = 2; /* delivered */
    }
    uint32_t slot = ++to->sequence % SLOTS;
    to->sent[slot] = *delivery;
    to->waits[slot] = 1;
    to->on_their_way++;
    put(to, pdu, at - pdu, DELIVER_SM, to->sequence);
    if (delivery->id)
        figures.receipts++;
    else
        figures.inbound++;
}

static struct connection *receiver_with_room(void)
{
    for (int i = 0; i < receiver_count; i++) {
        next_receiver = (next_receiver + 1) % receiver_count;
        struct connection *one = connections[receivers[next_receiver]];
        if (one && one->on_their_way < DELIVERY_WINDOW)
            return one;
    }
    return NULL;
}

static void deliver_what_is_due(void)
{
    static char date[16];
    static time_t date_of;
    uint64_t now = now_ms();
    time_t second = time(NULL);
    if (second != date_of) {
        strftime(date, sizeof date, "%y%m%d%H%M", gmtime(&second));
        date_of = second;
    }
    while (first_waiting < last_waiting && waiting[first_waiting % MOST_WAITING].due_ms <= now) {
        struct connection *to = receiver_with_room();
        if (!to)
            break;
        deliver(to, &waiting[first_waiting++ % MOST_WAITING], date);
    }
    for (int i = receiver_count - 1; i >= 0; i--) {
        struct connection *one = connections[receivers[i]];
        if (one->out.end > one->out.start && flush(one) < 0)
            close_connection(one);
    }
}

/* --- commands on stdin */

static void command(const char *line)
{
    unsigned amount;
    char to[24];
    if (!strcmp(line, "figures")) {
        printf("submitted=%lu unique=%lu repeated=%lu unnumbered=%lu parts=%lu receipts=%lu acknowledged=%lu "
               "inbound=%lu inbound_acknowledged=%lu bound=%lu waiting=%zu binds=%d\n",
               figures.submitted, figures.unique, figures.repeated, figures.unnumbered, figures.parts,
               figures.receipts, figures.acknowledged, figures.inbound, figures.inbound_acknowledged,
               figures.bound, last_waiting - first_waiting, receiver_count);
    } else if (!strcmp(line, "reset")) {
        memset(times_submitted, 0, MOST_NUMBERS);
        memset(&figures, 0, sizeof figures);
        puts("reset=1");
    } else if (!strcmp(line, "counts")) {
        for (uint32_t number = 0; number < MOST_NUMBERS; number++)
            if (times_submitted[number])
                printf("%u %u\n", number, times_submitted[number]);
        puts(".");
    } else if (sscanf(line, "inbound %u %23s", &amount, to) == 2) {
        for (uint32_t number = 1; number <= amount; number++) {
            struct delivery message = {.number = number};
            snprintf(message.source, sizeof message.source, "%s", to);
            snprintf(message.destination, sizeof message.destination, "4479%08u", number % 100000000);
            wait_for_turn(&message);
        }
        puts("waiting=1");
    } else {
        fprintf(stderr, "smsc: no command is called %s\n", line);
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
    if (bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, 64) < 0)
        fail(strerror(errno));
    getsockname(listener, (struct sockaddr *)&address, &length);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int main(int count_of_arguments, char **arguments)
{
    if (count_of_arguments != 3)
        fail("usage: smsc PORT RECEIPT_DELAY_MS");
    receipt_delay_ms = atoi(arguments[2]);
    times_submitted = calloc(MOST_NUMBERS, 1);
    waiting = malloc(sizeof(struct delivery) * MOST_WAITING);
    if (!times_submitted || !waiting)
        fail("out of memory");
    next_id = ((uint32_t)time(NULL) & 0x7ff) * 1000000u + 1; /* other ids after a restart */
    signal(SIGPIPE, SIG_IGN);
    int listener = listen_on(atoi(arguments[1]));
    poller = epoll_create1(0);
    struct epoll_event on_listener = {.events = EPOLLIN, .data.fd = listener};
    struct epoll_event on_stdin = {.events = EPOLLIN, .data.fd = STDIN_FILENO};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &on_listener);
    epoll_ctl(poller, EPOLL_CTL_ADD, STDIN_FILENO, &on_stdin);
    for (;;) {
        struct epoll_event events[64];
        int most_ms = first_waiting == last_waiting ? 1000 : receipt_delay_ms ? 2 : 1;
        int ready = epoll_wait(poller, events, 64, most_ms);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                open_connection(listener);
            } else if (fd == STDIN_FILENO) {
                read_commands();
            } else if (connections[fd]) {
                int writable = events[i].events & EPOLLOUT, readable = events[i].events & ~EPOLLOUT;
                if ((writable && flush(connections[fd]) < 0) || (readable && read_and_handle(connections[fd]) < 0))
                    close_connection(connections[fd]);
            }
        }
        deliver_what_is_due();
    }
}
