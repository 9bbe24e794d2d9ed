#include "snapshot/log/log_internal.h"

#include <stdlib.h>
#include <string.h>

void
index_list_clear(struct index_list *list)
{
	free(list->names);
	memset(list, 0, sizeof(*list));
}

int
index_list_copy(struct index_list *list,
    const uint8_t (*names)[OBJECT_NAME_LEN], size_t n, struct err *err)
{
	if (n == 0)
		return 0;
	list->names = calloc(n, sizeof(*list->names));
	if (list->names == NULL)
		return err_nomem(err);
	memcpy(list->names, names, n * sizeof(*list->names));
	list->n = n;
	return 0;
}

void
index_list_take(struct index_list *list, struct index_list *from)
{
	index_list_clear(list);
	*list = *from;
	memset(from, 0, sizeof(*from));
}
