/* Prints numbered lines that can be checked one by one: what the storm (storm.py) runs in its containers.
 *
 *   printer SEED LINES PAUSE_US_MAX LONG_EVERY
 *
 * Line n of a stream is "n length checksum payload": the payload's bytes and length follow from SEED and n, the checksum is FNV-1a of
 * the payload. Every LONG_EVERY-th line is 17 to 100 KB long. Streams take turns at random; pauses are up to PAUSE_US_MAX. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t state;
static uint32_t draw(uint32_t below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(state >> 33) % below;
}

static char line[200000];

static void print_all(int fd, const char* bytes, size_t size) {
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n <= 0) _exit(9);
        bytes += n;
        size -= (size_t)n;
    }
}

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    state = strtoull(argv[1], NULL, 10);
    long lines = atol(argv[2]), pause_max = atol(argv[3]), long_every = atol(argv[4]);
    long printed[2] = {0, 0};
    for (long i = 0; i < lines; ++i) {
        int stream = draw(4) == 0;
        size_t length = draw(1000) == 0 ? 0 : 10 + draw(280);
        if (long_every > 0 && i % long_every == long_every - 1) length = 17000 + draw(83000);
        uint32_t checksum = 2166136261U;
        static char payload[110000];
        for (size_t k = 0; k < length; ++k) {
            payload[k] = (char)('!' + draw(94));
            checksum = (checksum ^ (unsigned char)payload[k]) * 16777619U;
        }
        int head = sprintf(line, "%ld %zu %08x ", printed[stream]++, length, checksum);
        memcpy(line + head, payload, length);
        line[(size_t)head + length] = '\n';
        print_all(stream + 1, line, (size_t)head + length + 1);
        if (pause_max > 0) {
            long pause = draw((uint32_t)pause_max);
            struct timespec time = {pause / 1000000, pause % 1000000 * 1000};
            nanosleep(&time, NULL);
        }
    }
    /* How many there were of each, for the one who counts. */
    char totals[64];
    int size = sprintf(totals, "end %ld\n", printed[0]);
    print_all(1, totals, (size_t)size);
    size = sprintf(totals, "end %ld\n", printed[1]);
    print_all(2, totals, (size_t)size);
    return 0;
}
