#include "unwind.h"

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../maps/maps.h"
#include "modules.h"
#include "registers.h"
#include "symbols.h"

enum { READS_MAX = 64 };

struct unwinding {
    struct probe *probe;
    int (*found)(void *context, const struct frame *frame);
    void *context;
    Dwfl *dwfl;
    size_t thread; /* being unwound */
    struct frame frame;
    int have_frame, stop;
    struct frame outer[UNWIND_ENDS]; /* a ring of the last ones behind the first UNWIND_ENDS; by depth */
    /* Words read on the way to the next frame, its pc among them. */
    struct {
        uint64_t address, value;
    } reads[READS_MAX];
    size_t read_count;
};

/* ---- modules ---- */

static int find_nothing(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base, const char *file,
                        const char *link, GElf_Word crc, char **found)
{
    (void)module, (void)data, (void)name, (void)base, (void)file, (void)link, (void)crc, (void)found;
    return -1;
}

static int find_no_elf(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base, char **file, Elf **elf)
{
    (void)module, (void)data, (void)name, (void)base, (void)file, (void)elf;
    return -1;
}

static void report_module(struct unwinding *u, uint32_t number)
{
    uint8_t id[MAPS_BUILD_ID_MAX];
    const struct probe_module *module = &u->probe->modules[number];
    const char *file = modules_file(u->probe, number);
    int fd = file ? open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1;
    if (fd < 0)
        return;
    if (!module->build_id_length || symbols_build_id(fd, id) != module->build_id_length ||
        memcmp(id, module->build_id, module->build_id_length) ||
        !dwfl_report_elf(u->dwfl, module->path, file, fd, module->base, false))
        close(fd);
}

/* ---- what libdwfl asks ---- */

static pid_t next_thread(Dwfl *dwfl, void *context, void **which)
{
    struct unwinding *u = context;
    (void)dwfl;
    u->thread = *which ? u->thread + 1 : 0;
    *which = u;
    if (u->thread >= u->probe->options->thread_count || u->thread >= UNWIND_THREADS_MAX || u->stop)
        return 0;
    return (pid_t)(u->thread + 1); /* its number: ids of a core may repeat */
}

static bool read_word(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *to, void *context)
{
    struct unwinding *u = context;
    int ok = 1;
    (void)dwfl;
    *to = memory_u64(u->probe->memory, address, &ok);
    if (ok && u->read_count < READS_MAX) {
        u->reads[u->read_count].address = address;
        u->reads[u->read_count++].value = *to;
    }
    return ok;
}

static bool set_registers(Dwfl_Thread *thread, void *which)
{
    struct unwinding *u = which;
    const struct probe_thread *t = &u->probe->options->threads[u->thread];
    Dwarf_Word words[REGISTER_COUNT] = {0};
    for (unsigned i = 0; i < t->register_count; i++)
        if (register_number(i) >= 0)
            words[register_number(i)] = t->registers[i];
    words[REGISTER_SP_NUMBER] = t->sp;
    if (t->register_count <= REGISTER_PC || !dwfl_thread_state_registers(thread, 0, REGISTER_COUNT, words))
        return false;
#ifdef REGISTER_RETURN_NUMBER
    dwfl_thread_state_registers(thread, REGISTER_RETURN_NUMBER, 1, &t->registers[REGISTER_PC]);
#endif
    dwfl_thread_state_register_pc(thread, t->registers[REGISTER_PC]);
    return true;
}

/* ---- frames ---- */

static void name_function(struct unwinding *u, uint64_t pc, int activation, char to[FRAME_NAME_MAX])
{
    GElf_Sym symbol;
    GElf_Off offset;
    uint64_t inside = activation ? pc : pc - 1; /* of the call, not of what follows it */
    Dwfl_Module *module = dwfl_addrmodule(u->dwfl, inside);
    const char *name = module ? dwfl_module_addrinfo(module, inside, &offset, &symbol, NULL, NULL, NULL) : NULL;
    unsigned type = name ? GELF_ST_TYPE(symbol.st_info) : STT_NOTYPE;
    if (name && offset < symbol.st_size && (type == STT_FUNC || type == STT_GNU_IFUNC))
        strncat(to, name, FRAME_NAME_MAX - 1);
}

/* Hands out the first frames; those behind them wait for the end of the stack. */
static void keep_frame(struct unwinding *u)
{
    if (u->frame.depth < UNWIND_ENDS)
        u->stop |= u->found(u->context, &u->frame) != 0;
    else
        u->outer[u->frame.depth % UNWIND_ENDS] = u->frame;
    u->have_frame = 0;
}

static void hand_out_outer(struct unwinding *u)
{
    uint32_t last = u->frame.depth, first = last + 1 > 2 * UNWIND_ENDS ? last + 1 - UNWIND_ENDS : UNWIND_ENDS;
    for (uint32_t depth = first; depth <= last && !u->stop; depth++)
        u->stop |= u->found(u->context, &u->outer[depth % UNWIND_ENDS]) != 0;
}

/* Whether a frame was interrupted by a signal: libdw calls both it and the frame above an activation, the one that
 * returns from the handler, and to get from there here means to read all registers back. */
static int was_interrupted(const struct unwinding *u, int activation, size_t read)
{
    return activation && u->frame.activation && read >= REGISTER_COUNT - 4;
}

/* Ends the frame before at the word its caller's pc was read from. Where a signal interrupted the caller, its stack
 * pointer was saved below its pc, and may be of another stack. */
static void end_frame(struct unwinding *u, uint64_t pc, int activation, size_t read, uint64_t *caller)
{
    size_t at = read;
    int interrupted = 0;
    *caller = 0;
    while (at && u->reads[at - 1].value != pc)
        at--;
    if (at) {
        uint64_t where = u->reads[at - 1].address;
        u->frame.end = *caller = where + 8;
        interrupted = was_interrupted(u, activation, read);
        if (interrupted) {
            int ok = 1;
            *caller = memory_u64(u->probe->memory, where - 8, &ok);
        }
    }
    if (!interrupted && *caller <= u->frame.start)
        *caller = 0; /* stacks do not go in circles */
    keep_frame(u);
}

static int each_frame(Dwfl_Frame *state, void *context)
{
    struct unwinding *u = context;
    Dwarf_Addr pc;
    bool activation;
    uint64_t start = u->probe->options->threads[u->thread].sp;
    uint32_t depth = u->have_frame ? u->frame.depth + 1 : 0;
    size_t read = u->read_count; /* on the way here; what dwfl_frame_pc() reads leads to the next frame */
    if (!dwfl_frame_pc(state, &pc, &activation))
        return DWARF_CB_ABORT;
    if (u->have_frame)
        end_frame(u, pc, activation, read, &start);
    u->read_count -= read;
    memmove(u->reads, u->reads + read, u->read_count * sizeof *u->reads);
    u->frame = (struct frame){
        .thread = (uint32_t)u->thread, .depth = depth, .pc = pc, .start = start, .activation = activation};
    name_function(u, pc, activation, u->frame.function);
    u->have_frame = 1;
    return u->stop || !start || depth + 1 == UNWIND_FRAMES_MAX ? DWARF_CB_ABORT : DWARF_CB_OK;
}

static int each_thread(Dwfl_Thread *thread, void *context)
{
    struct unwinding *u = context;
    u->have_frame = 0;
    u->read_count = 0;
    int status = dwfl_thread_getframes(thread, each_frame, u);
    if (u->have_frame) { /* the outermost; what lies above it is its own when that is certain */
        u->frame.end = status == 0 && u->frame.start ? UINT64_MAX : 0;
        keep_frame(u);
        hand_out_outer(u);
    }
    return u->stop ? DWARF_CB_ABORT : DWARF_CB_OK;
}

void unwind_threads(struct probe *probe, int (*found)(void *context, const struct frame *frame), void *context)
{
    static const Dwfl_Callbacks files = {.find_elf = find_no_elf, .find_debuginfo = find_nothing};
    static const Dwfl_Thread_Callbacks threads = {
        .next_thread = next_thread, .memory_read = read_word, .set_initial_registers = set_registers};
    struct unwinding u = {.probe = probe, .found = found, .context = context, .dwfl = dwfl_begin(&files)};
    if (!u.dwfl)
        return;
    dwfl_report_begin(u.dwfl);
    for (uint32_t i = 0; i < probe->module_count && i < UNWIND_MODULES_MAX; i++)
        report_module(&u, i);
    dwfl_report_end(u.dwfl, NULL, NULL);
    if (dwfl_attach_state(u.dwfl, NULL, 1, &threads, &u))
        dwfl_getthreads(u.dwfl, each_thread, &u);
    dwfl_end(u.dwfl);
}
