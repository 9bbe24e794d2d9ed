#ifndef SNAPSHOT_STATE_RECEIPTS_H
#define SNAPSHOT_STATE_RECEIPTS_H

/*
 * The newest receipt of each site for each dataset, as this machine was given
 * them: one file for all stores, ${dir}/receipts.db. They are kept as signed, so
 * that anybody can check them again; lost ones come with the next replication.
 * Thread: safe.
 */
#include "crypto/receipt.h"

struct receipts;

/**
 * receipts_open(dir, store, out, err): Open or make it.
 * Errors: ERR_CORRUPT damaged: remove it; ERR_VERSION; ERR_LOCKED; ERR_DENIED;
 * ERR_FULL; ERR_IO.
 */
NODISCARD int receipts_open(const char *dir, const uint8_t store[STORE_ID_LEN],
    struct receipts **out, struct err *err);
void receipts_close(struct receipts *r);
DEFINE_AUTO(receipts, receipts_close)

/**
 * receipts_put(r, buf, len, err):
 * Keep a receipt, which the caller has checked, unless one of a later time is
 * there. Errors: ERR_USAGE of another store; ERR_CORRUPT it is none.
 */
NODISCARD int receipts_put(
    struct receipts *r, const uint8_t *buf, size_t len, struct err *err);

/**
 * receipts_get(r, site, dataset, buf, err):
 * The newest, as signed; receipt_decode() checks it. ERR_NOT_FOUND none.
 */
NODISCARD int receipts_get(struct receipts *r,
    const uint8_t site[IDENTITY_ID_LEN],
    const uint8_t dataset[RECEIPT_DATASET_LEN], uint8_t buf[RECEIPT_LEN],
    struct err *err);

#endif
