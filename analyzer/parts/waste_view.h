/* summary --waste: what could be saved, by type. */
#ifndef ANALYZER_WASTE_VIEW_H
#define ANALYZER_WASTE_VIEW_H

#include "../line/command.h"
#include "../answers/waste.h"

/* Returns an enum command_status, after saying why when it is STATUS_ERROR. */
int show_waste(struct invocation *inv);

/* ---- the same for other views ---- */

enum { WASTE_TYPE_COLUMNS = 9, WASTE_VALUE_COLUMNS = 5, WASTE_LINE_SIZE = 160 };
extern const struct column waste_type_columns[WASTE_TYPE_COLUMNS], waste_value_columns[WASTE_VALUE_COLUMNS];

/* A row of each table; `name` is room for the value. */
void waste_type_cells(const struct session *s, const struct waste *w, uint32_t klass,
                      struct cell cells[WASTE_TYPE_COLUMNS]);
void waste_value_cells(const struct session *s, const struct duplicate *d, char name[NAME_SIZE],
                       struct cell cells[WASTE_VALUE_COLUMNS]);

/* Classes by what they waste, most first; the caller frees them. NULL without memory. */
uint32_t *waste_order(const struct session *s, const struct waste *w);

/* All classes together. */
struct class_waste waste_total(const struct session *s, const struct waste *w);

/* What there is in two lines: of equal strings, and of room in containers. */
void waste_describe(const struct session *s, const struct waste *w, char line[2][WASTE_LINE_SIZE]);

#endif
