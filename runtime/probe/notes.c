/* Texts in the snapshot, and what is said of the capture itself. */
#include <string.h>

#include "probe.h"

enum { TEXT_CAP = 4096 };

uint32_t probe_text(struct probe *probe, const char *text)
{
    return text ? writer_string(probe->writer, text, strlen(text), TEXT_CAP) : 0;
}

void probe_note(struct probe *probe, enum severity severity, const char *text, uint64_t address)
{
    struct diagnostic_record r = {
        .severity = severity, .text = probe_text(probe, text), .address = address, .heap = FORMAT_NONE};
    writer_record(probe->writer, SECTION_DIAGNOSTICS, &r);
    probe->damaged += severity == SEVERITY_ERROR;
}
