/* The far end of a bridge: Windows' memory, exports and threads for a driver that runs elsewhere.
 *
 * Part played:     a program for Windows that does nothing of its own. It is told what to call, on which of its threads, and
 *                  tells what came out of it.
 * Lives elsewhere: the near end, and the shape of a message (bridge.py); how this is compiled and started (targets/wine.py).
 *
 * A channel is a pair of FIFOs, N.down (to us) and N.up, and belongs to one thread; channel 0 is the main thread's, and makes
 * the others. All memory that the driver hands out lies in one file that both ends have mapped, so that reading and writing it
 * needs no message. Messages are of one size. A thread that runs a callback of the driver's waits on its channel for what the
 * callback wants called, and for its result: a channel nests as calls do.
 */

#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define VALUES 14

enum { CALL = 1, LOOKUP, COPY, MAKE_CALLBACK, MAKE_THREAD, RETURN };/* down */
enum { DONE = 1, CALLED_BACK, CRASHED, FOREIGN };                  /* up */

struct message {
    uint32_t what;
    uint32_t count;
    uint64_t values[VALUES];
};

struct channel {
    HANDLE down, up;
    DWORD last_error; /* the thread's, as the driver's program would see it: our own calls do not count */
};

typedef uint64_t (*function)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                             uint64_t, uint64_t);

static const char *folder;
static DWORD slot; /* of each thread's channel */
static CRITICAL_SECTION announcing;
static struct channel announcements;

static int send_up(struct channel *channel, const struct message *message)
{
    DWORD written;

    return WriteFile(channel->up, message, sizeof *message, &written, NULL) && written == sizeof *message;
}

/* Read a message; 0: the other end is gone. */
static int receive(struct channel *channel, struct message *message)
{
    char *room = (char *)message;
    DWORD got, have = 0;

    while (have < sizeof *message) {
        if (!ReadFile(channel->down, room + have, sizeof *message - have, &got, NULL) || !got)
            return 0;
        have += got;
    }
    return 1;
}

static HANDLE open_fifo(uint64_t number, const char *direction, DWORD access)
{
    char path[512];

    snprintf(path, sizeof path, "\\\\?\\unix%s/%llu.%s", folder, (unsigned long long)number, direction);
    return CreateFileA(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
}

static void open_channel(struct channel *channel, uint64_t number)
{
    channel->down = open_fifo(number, "down", GENERIC_READ);
    channel->up = open_fifo(number, "up", GENERIC_WRITE);
    channel->last_error = 0;
}

static void done(struct channel *channel, uint64_t result, uint64_t last_error)
{
    struct message answer = {DONE, 2, {result, last_error}};

    if (!send_up(channel, &answer))
        ExitProcess(0);
}

static uint64_t serve(struct channel *channel);

/* Tell the driver that one of its callbacks was called, do what it wants done in there, and return what it returns. */
static uint64_t call_back(uint32_t id, const uint64_t *arguments)
{
    DWORD before = GetLastError();
    struct channel *channel = TlsGetValue(slot), foreign;
    struct message message = {CALLED_BACK, VALUES, {id}};
    uint64_t result;

    if (!channel) { /* a thread that the driver did not make: it gets a channel of its own for this call */
        struct message news = {FOREIGN, 0, {0}};

        EnterCriticalSection(&announcing);
        if (!send_up(&announcements, &news) || !receive(&announcements, &news))
            ExitProcess(0);
        LeaveCriticalSection(&announcing);
        channel = &foreign;
        open_channel(channel, news.values[0]);
        TlsSetValue(slot, channel);
    }
    channel->last_error = before;
    memcpy(message.values + 1, arguments, (VALUES - 1) * sizeof *arguments);
    if (!send_up(channel, &message))
        ExitProcess(0);
    result = serve(channel);
    before = channel->last_error;
    if (channel == &foreign) {
        TlsSetValue(slot, NULL);
        CloseHandle(channel->down);
        CloseHandle(channel->up);
    }
    SetLastError(before);
    return result;
}

/* A C function that calls call_back with this number and its own arguments, which follow each other in the room that every
 * caller leaves for the first four. */
static void *make_callback(uint32_t id)
{
    static const unsigned char model[] = {
        0x48, 0x89, 0x4c, 0x24, 0x08,             /* mov [rsp+8], rcx */
        0x48, 0x89, 0x54, 0x24, 0x10,             /* mov [rsp+16], rdx */
        0x4c, 0x89, 0x44, 0x24, 0x18,             /* mov [rsp+24], r8 */
        0x4c, 0x89, 0x4c, 0x24, 0x20,             /* mov [rsp+32], r9 */
        0xb9, 0, 0, 0, 0,                         /* mov ecx, id */
        0x48, 0x8d, 0x54, 0x24, 0x08,             /* lea rdx, [rsp+8] */
        0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0,       /* mov rax, call_back */
        0x48, 0x83, 0xec, 0x28,                   /* sub rsp, 40 */
        0xff, 0xd0,                               /* call rax */
        0x48, 0x83, 0xc4, 0x28,                   /* add rsp, 40 */
        0xc3,                                     /* ret */
    };
    static unsigned char *page, *end;
    uint64_t target = (uint64_t)call_back;
    unsigned char *code;

    if (page == end) {
        page = VirtualAlloc(NULL, 65536, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);
        if (!page)
            return NULL;
        end = page + 65536;
    }
    code = page;
    page += 64;
    memcpy(code, model, sizeof model);
    memcpy(code + 21, &id, sizeof id);
    memcpy(code + 32, &target, sizeof target);
    return code;
}

static DWORD WINAPI run_thread(void *argument)
{
    struct channel channel;

    open_channel(&channel, (uint64_t)argument);
    TlsSetValue(slot, &channel);
    done(&channel, GetCurrentThreadId(), 0);
    serve(&channel);
    TlsSetValue(slot, NULL);
    CloseHandle(channel.down);
    CloseHandle(channel.up);
    return 0;
}

/* Do what comes down a channel, until the result of a callback comes, or nothing any more. */
static uint64_t serve(struct channel *channel)
{
    struct message message;
    const uint64_t *v = message.values;
    uint64_t result;
    HMODULE library;
    HANDLE thread;

    while (receive(channel, &message)) {
        switch (message.what) {
        case CALL:
            SetLastError(channel->last_error);
            result = ((function)v[0])(v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11], v[12]);
            channel->last_error = GetLastError();
            done(channel, result, channel->last_error);
            break;
        case LOOKUP: /* addresses of two names */
            library = LoadLibraryA((const char *)v[0]);
            done(channel, library ? (uint64_t)GetProcAddress(library, (const char *)v[1]) : 0, 0);
            break;
        case COPY: /* to, from, size: memory that the driver did not hand out */
            memmove((void *)v[0], (const void *)v[1], v[2]);
            done(channel, 0, 0);
            break;
        case MAKE_CALLBACK:
            done(channel, (uint64_t)make_callback((uint32_t)v[0]), 0);
            break;
        case MAKE_THREAD:
            thread = CreateThread(NULL, 0, run_thread, (void *)v[0], 0, NULL);
            if (thread)
                CloseHandle(thread);
            done(channel, thread != NULL, 0);
            break;
        case RETURN:
            return v[0];
        }
    }
    return 0;
}

/* A fault in what was called: say so, and end; memory and locks are not to be trusted after it. */
static LONG CALLBACK crashed(EXCEPTION_POINTERS *pointers)
{
    struct channel *channel = TlsGetValue(slot);
    struct message news = {CRASHED, 2, {pointers->ExceptionRecord->ExceptionCode,
                                        (uint64_t)pointers->ExceptionRecord->ExceptionAddress}};

    if (channel)
        send_up(channel, &news);
    TerminateProcess(GetCurrentProcess(), 3);
    return EXCEPTION_EXECUTE_HANDLER;
}

int main(int count, char **arguments)
{
    struct channel channel;
    char path[512];
    HANDLE file, mapping;
    void *arena;

    if (count != 2)
        return 2;
    folder = arguments[1];
    slot = TlsAlloc();
    InitializeCriticalSection(&announcing);
    SetUnhandledExceptionFilter(crashed);
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    snprintf(path, sizeof path, "\\\\?\\unix%s/memory", folder);
    file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    mapping = CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, 0, NULL);
    arena = mapping ? MapViewOfFile(mapping, FILE_MAP_ALL_ACCESS, 0, 0, 0) : NULL;
    CloseHandle(mapping);
    CloseHandle(file);
    open_channel(&channel, 0);
    open_channel(&announcements, 1);
    TlsSetValue(slot, &channel);
    done(&channel, (uint64_t)arena, GetLastError());
    serve(&channel);
    return 0;
}
