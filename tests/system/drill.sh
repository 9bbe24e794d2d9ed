#!/bin/sh
# The rehearsal of a disaster, as people run it.
. "$(dirname "$0")/lib.sh"

unset VARVE_PASSPHRASE
drill=$here/../../tools/dr-drill

part 'with small data of its own'
run 0 "$drill" --varve "$VARVE" --directory "$T/drill"
out_has "1 snapshot (1 record) of"
out_has 'recovery point'
out_has 'recovery time'
[ ! -e "$T/drill" ] || fail 'it left something behind'

part 'with data that are brought, and kept'
mkdir "$T/source"
echo one >"$T/source/one"
run 0 "$drill" --varve "$VARVE" --source "$T/source" --directory "$T/kept" \
    --keep
[ -e "$T/kept/prod/varve" ] || fail 'it is not kept'
equal "$(cat "$T/source"/*)" one 'the source, which is only copied'

part 'what it refuses'
run 2 "$drill" --varve "$T/none"
run 2 "$drill" --nonsense
