#include "crypto/keyring.h"

#include "crypto/hash.h"

#include <stdlib.h>
#include <string.h>

/* Key sets in ascending order of epoch. */
struct keyring {
	struct keyset **sets;
	size_t n;
};

int
keyring_new(struct keyring **out, struct err *err)
{
	*out = calloc(1, sizeof(**out));
	return *out == NULL ? err_nomem(err) : 0;
}

void
keyring_free(struct keyring *kr)
{
	if (kr == NULL)
		return;
	for (size_t i = 0; i < kr->n; i++)
		keyset_free(kr->sets[i]);
	free(kr->sets);
	free(kr);
}

static int
check_kin(const struct keyring *kr, const struct keyset *ks, struct err *err)
{
	const struct keyset *first;

	if (kr->n == 0)
		return 0;
	first = kr->sets[0];
	if (memcmp(first->dataset, ks->dataset, DATASET_ID_LEN) != 0)
		return err_set(err, ERR_CORRUPT, "key set of another dataset");
	if (!ct_equal(&first->id, &ks->id, sizeof(ks->id)))
		return err_set(err, ERR_CORRUPT,
		    "key sets of dataset '%s' disagree", ks->name);
	return 0;
}

int
keyring_add(struct keyring *kr, struct keyset *ks, struct err *err)
{
	AUTO(keyset) struct keyset *own = ks;
	struct keyset **sets;
	size_t i = kr->n;
	int ret;

	if ((ret = check_kin(kr, ks, err)) != 0)
		return ret;
	while (i > 0 && kr->sets[i - 1]->epoch > ks->epoch)
		i--;
	if (i > 0 && kr->sets[i - 1]->epoch == ks->epoch) {
		if (ks->has_private && !kr->sets[i - 1]->has_private) {
			keyset_free(kr->sets[i - 1]);
			kr->sets[i - 1] = STEAL(own);
		}
		return 0;
	}
	if (kr->n == KEYRING_EPOCHS_MAX)
		return err_set(err, ERR_CORRUPT,
		    "dataset '%s' has more than %d epochs", ks->name,
		    KEYRING_EPOCHS_MAX);
	sets = realloc(kr->sets, (kr->n + 1) * sizeof(*sets));
	if (sets == NULL)
		return err_nomem(err);
	kr->sets = sets;
	memmove(&sets[i + 1], &sets[i], (kr->n - i) * sizeof(*sets));
	sets[i] = STEAL(own);
	kr->n++;
	return 0;
}

const struct keyset *
keyring_latest(const struct keyring *kr)
{
	return kr->n == 0 ? NULL : kr->sets[kr->n - 1];
}

const struct keyset *
keyring_epoch(const struct keyring *kr, uint32_t epoch)
{
	for (size_t i = 0; i < kr->n; i++) {
		if (kr->sets[i]->epoch == epoch)
			return kr->sets[i];
	}
	return NULL;
}

bool
keyring_can_read(const struct keyring *kr)
{
	return kr->n > 0 && kr->sets[kr->n - 1]->has_private;
}
