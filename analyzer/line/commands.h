/* All commands. */
#ifndef ANALYZER_COMMANDS_H
#define ANALYZER_COMMANDS_H

#include "command.h"
#include "../session/names.h"

extern const struct command cmd_info, cmd_verify, cmd_summary, cmd_generations, cmd_cycles, cmd_referrers,
    cmd_referents, cmd_object, cmd_why, cmd_retained, cmd_dominators, cmd_audit, cmd_what_if, cmd_diff, cmd_trend,
    cmd_check, cmd_suspects, cmd_sql, cmd_browse, cmd_export, cmd_render, cmd_report, cmd_capture, cmd_pack, cmd_gdb_init;

#endif
