/* summary --waste: what could be saved, by type. */
#ifndef ANALYZER_WASTE_VIEW_H
#define ANALYZER_WASTE_VIEW_H

#include "command.h"

/* Returns an enum command_status, after saying why when it is STATUS_ERROR. */
int show_waste(struct invocation *inv);

#endif
