/*
 * Telling databases and disk images from other files by their first bytes.
 * They change in place, page by page; cut so, an unchanged page is stored once
 * however many of its neighbours change. A wrong guess costs space, never data.
 */
#include "snapshot/content/cut.h"

#include <string.h>

#define PAGE_SMALLEST 4096 /* smaller ones would drown in their names */
#define PG_PAGE 8192
#define IMAGE_PAGE 8192

static unsigned
be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static unsigned
le16(const uint8_t *p)
{
	return (unsigned)p[1] << 8 | p[0];
}

/* SQLite: file header, 'Database File Format' 1.3. */
static size_t
page_of_sqlite(const uint8_t *head, size_t len)
{
	size_t page;

	if (len < 100 || memcmp(head, "SQLite format 3", 16) != 0)
		return 0;
	page = be16(head + 16);
	if (page == 1)
		page = 65536;
	if (page < 512 || (page & (page - 1)) != 0)
		return 0;
	return page < PAGE_SMALLEST ? PAGE_SMALLEST : page;
}

/* PostgreSQL: PageHeaderData, layout version 4, pages of 8 KiB. */
static size_t
page_of_postgresql(const uint8_t *head, size_t len, uint64_t size)
{
	unsigned lower, upper, special;

	if (len < 24 || size % PG_PAGE != 0 || le16(head + 18) != (PG_PAGE | 4))
		return 0;
	lower = le16(head + 12);
	upper = le16(head + 14);
	special = le16(head + 16);
	if (lower < 24 || lower > upper || upper > special || special > PG_PAGE)
		return 0;
	return PG_PAGE;
}

/* InnoDB: page 0 of a tablespace is of type FSP_HDR and names its space twice. */
static size_t
page_of_innodb(const uint8_t *head, size_t len, uint64_t size)
{
	static const uint8_t zero[4];

	if (len < 64 || size % 16384 != 0 || be16(head + 24) != 8 ||
	    memcmp(head + 4, zero, 4) != 0 ||
	    memcmp(head + 34, head + 38, 4) != 0)
		return 0;
	return 16384;
}

static bool
is_disk_image(const uint8_t *head, size_t len, uint64_t size)
{
	if (len >= 4 && memcmp(head, "QFI\xfb", 4) == 0)
		return true; /* qcow2 */
	if (len >= 8 && memcmp(head, "vhdxfile", 8) == 0)
		return true;
	if (size % 512 != 0)
		return false;
	if (len >= 520 && memcmp(head + 512, "EFI PART", 8) == 0)
		return true;
	/* An ext filesystem: magic in its superblock, which starts at 1024. */
	return len >= 1082 && size >= 1024 * 1024 &&
	       le16(head + 1080) == 0xef53;
}

size_t
cut_page_size(const uint8_t *head, size_t len, uint64_t size)
{
	size_t page;

	if ((page = page_of_sqlite(head, len)) != 0)
		return page;
	if ((page = page_of_postgresql(head, len, size)) != 0)
		return page;
	if ((page = page_of_innodb(head, len, size)) != 0)
		return page;
	return is_disk_image(head, len, size) ? IMAGE_PAGE : 0;
}
