#include "snapshot/site/country.h"

#include <ctype.h>
#include <string.h>

/* The 249 codes that ISO 3166-1 assigns officially. */
static const char codes[] =
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ "
    "BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ "
    "DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR "
    "GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY "
    "HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP "
    "KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY "
    "MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ "
    "NA NC NE NF NG NI NL NO NP NR NU NZ OM "
    "PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW "
    "SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ "
    "TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ "
    "UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW ";

/* Codes that are no country's, but are taken for one. */
static const struct {
	char wrong[COUNTRY_LEN + 1], right[COUNTRY_LEN + 1];
} mistaken[] = {{"UK", "GB"}, {"EL", "GR"}};

static bool
is_assigned(const char *text)
{
	if (!country_ok(text))
		return false;
	for (const char *p = codes; *p != '\0'; p += COUNTRY_LEN + 1)
		if (memcmp(p, text, COUNTRY_LEN) == 0)
			return true;
	return false;
}

int
country_check(const char *text, struct err *err)
{
	char upper[COUNTRY_LEN + 1] = {0};
	const char *near = NULL;

	if (is_assigned(text))
		return 0;
	if (strlen(text) == COUNTRY_LEN)
		for (size_t i = 0; i < COUNTRY_LEN; i++)
			upper[i] = (char)toupper((unsigned char)text[i]);
	for (size_t i = 0; i < ARRAY_LEN(mistaken); i++)
		if (strcmp(upper, mistaken[i].wrong) == 0)
			near = mistaken[i].right;
	if (near == NULL && is_assigned(upper))
		near = upper;
	return err_set(err, ERR_USAGE,
	    "no country has the code '%s' in ISO 3166-1%s%s", text,
	    near != NULL ? "; did you mean " : "", near != NULL ? near : "");
}
