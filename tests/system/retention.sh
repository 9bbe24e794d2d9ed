#!/bin/sh
# What is kept, what expires, who says so, and who sees it.
. "$(dirname "$0")/lib.sh"

src=$T/source
mkdir -p "$src"
echo constant >"$src/file"

varve init -q --name alice --recovery-key-file "$T/recovery" \
    --keep-within 90d --keep-daily 400 "$VARVE_STORE" >"$T/fingerprint"

part 'a host can be the admin that a timer needs'
varve grant admin --host keeper --key-file "$T/keeper" >"$T/out"
unset VARVE_PASSPHRASE
VARVE_KEY_FILE=$T/keeper
export VARVE_KEY_FILE

# rules DATASET: as JSON, without blanks.
rules() {
	varve dataset show "$1" --json | jq -c '.datasets[0].rules'
}

# ids DATASET: of its snapshots, oldest first.
ids() {
	varve list --json "$1" | jq -r '.snapshots[].id'
}

# numbers DATASET
numbers() {
	varve list --json "$1" | jq -c '[.snapshots[].sequence]'
}

# expired DATASET: sequence numbers of those that have expired.
expired() {
	varve list --expired --json "$1" | jq -c '[.snapshots[].sequence]'
}

part 'a new dataset takes the store'"'"'s rules over'
backup customers "$src"
equal "$(rules customers)" '{"within":7776000,"daily":400}' 'rules'
equal "$(newest customers sequence)" 2 'the rules come first'
run 0 varve dataset set --default --keep-last 7
backup later "$src"
equal "$(rules later)" '{"last":7}' 'rules of a later one'
equal "$(rules customers)" '{"within":7776000,"daily":400}' 'still'
run 0 varve dataset show
out_has '--keep-within 90d --keep-daily 400'
out_has 'datasets to come: --keep-last 7'

part 'nothing expires that a rule keeps, nor without rules'
for i in 1 2 3 4 5; do
	echo "$i" >"$src/changing"
	backup customers "$src"
done
run 0 varve expire
out_has 'customers: 0 snapshots of 6 expired (--keep-within 90d'
run 0 varve dataset set customers --keep-all
run 0 varve expire customers
out_has 'no rules, nothing expires'
equal "$(rules customers)" null 'no rules'
equal "$(snapshots customers)" 6 'snapshots'
refused 2 'what is to be kept?' varve dataset set customers
refused 2 'keep-all goes' varve dataset set customers --keep-all --keep-last 1
refused 2 'keep-last' varve expire customers --keep-last 0
refused 2 'keep-within' varve expire customers --keep-within 90
refused 1 'no dataset' varve expire nosuch --keep-last 1

part 'what would expire, and why the rest stays'
held=$(ids customers | sed -n 2p)
run 0 varve hold "customers@$held" --why 'a lawsuit'
run 0 varve list customers
equal "$(grep -c ', held ' "$T/out")" 1 'snapshots that are shown as held'
run 0 varve list "customers@$held"
out_has 'held      a lawsuit'
varve expire customers --keep-last 2 --keep-daily 1 -n --json >"$T/plan"
equal "$(jq -c '[.datasets[0] | .expired, .kept, .rules]' "$T/plan")" \
    '[3,3,{"last":2,"daily":1}]' 'the plan'
equal "$(jq -c '[.datasets[0].snapshots[] | .kept_by]' "$T/plan")" \
    '[[],["held"],[],[],["last"],["last","daily"]]' 'why each stays'
equal "$(jq -c '[.datasets[0].snapshots[] | .expires]' "$T/plan")" \
    '[true,false,true,true,false,false]' 'what goes'
run 0 varve expire customers --keep-last 2 --dry-run
out_has 'would expire'
out_has 'nothing: expires'
out_has 'held'
equal "$(snapshots customers)" 6 'nothing went'

part 'one clock that was wrong takes nobody else away'
at() {
	local days=$1
	shift
	SHIFT=$((days * 86400)) LD_PRELOAD=$BIN/libshift.so "$@"
}
# That of the third is three days ahead.
for day in 0 1 5 3 4 5 6; do
	run 0 at $day varve backup wrong "$src"
done
at 6 varve expire wrong --keep-daily 4 -n --json >"$T/plan"
equal "$(jq -c '[.datasets[0].snapshots[3:][] | .expires]' "$T/plan")" \
    '[false,false,false,false]' 'those of the last four days'
equal "$(jq -c '[.datasets[0].snapshots[] | .in_doubt]' "$T/plan")" \
    '[true,true,true,true,true,false,false]' 'in doubt'
run 0 at 6 varve expire wrong --keep-daily 4 -n
out_has 'snapshots stay since times contradict one another'
out_has 'daily (times in doubt)'

part 'a running mount drops it, and what is open stays readable'
mount_store "$T/mnt"
first=$(ids customers | sed -n 1p)
second=$(ids customers | sed -n 2p)
count_dated() {
	find "$T/mnt/customers" -mindepth 2 -maxdepth 2 -type d | wc -l
}
within 3 test -d "$T/mnt/customers/@$first"
equal "$(count_dated)" 6 'in the mount'
exec 7<"$T/mnt/customers/@$first/file"
run 0 varve expire customers --keep-last 2 --keep-daily 1
out_has 'customers: 3 snapshots of 6 expired'
three() {
	[ "$(count_dated)" = 3 ]
}
within 3 three
nothing test ! -e "$T/mnt/customers/@$first"
equal "$(cat <&7)" constant 'a file that was open'
exec 7<&-
equal "$(cat "$T/mnt/customers/@$second/file")" constant 'one that is held'

part 'nothing else shows it'
equal "$(snapshots customers)" 3 'list'
equal "$(numbers customers)" '[3,6,7]' 'those that are left'
refused 1 "whose id starts with" varve list "customers@$first"
refused 1 '' varve restore "customers@$first" "$T/restored"
equal "$(varve find file customers --json |
    jq '[.versions[].snapshots] | add')" 3 'find'

part 'but the log keeps that it was there, and why it went'
equal "$(expired customers)" '[2,4,5]' 'expired'
run 0 varve list --expired customers
out_has 'keeper'
out_has '--keep-last 2 --keep-daily 1'
whole
run 0 varve check --no-keys

part 'a hold ends'
refused 2 'not held' varve release customers@latest
run 0 varve release "customers@$held"
run 0 varve expire customers --keep-last 1
equal "$(numbers customers)" '[7]' 'the newest'

part 'a backup never builds on what has expired'
backup fleeting "$src"
backup fleeting "$src"
equal "$(newest fleeting kind)" differential 'the second'
sleep 2
run 0 varve expire fleeting --keep-within 1s
equal "$(snapshots fleeting)" 0 'all of them'
run 0 varve list fleeting
refused 1 'has no snapshots' varve list fleeting@latest
within 3 test ! -e "$T/mnt/fleeting/latest"
backup fleeting "$src"
equal "$(newest fleeting kind)" full 'after that'
restore fleeting@latest "$T/fleeting"
nothing diff -r "$src" "$T/fleeting"
whole

part 'only an admin'
VARVE_PASSPHRASE='correct horse' varve grant writer customers --host producer \
    --key-file "$T/producer" >"$T/out"
as_writer() {
	env VARVE_KEY_FILE="$T/producer" "$VARVE" "$@"
}
run 0 as_writer backup customers "$src"
run 0 as_writer expire customers --keep-last 1 -n
out_has '1 snapshot of 2 would expire'
refused 1 'only an admin' as_writer expire customers --keep-last 1
refused 1 'is no admin' as_writer hold customers@latest
refused 1 'is no admin' as_writer dataset set customers --keep-last 1
refused 1 'only an admin' as_writer dataset set --default --keep-last 1
equal "$(snapshots customers)" 2 'nothing went'

part 'many at once'
i=0
while [ "$i" -lt 60 ]; do
	backup many --exec "echo $i" --name number
	i=$((i + 1))
done
run 0 varve expire many
equal "$(snapshots many)" 7 'by the rules that it was made with'
equal "$(varve list --expired --json many | jq '.snapshots | length')" 53 \
    'expired'
restore many@latest:number "$T/number"
equal "$(cat "$T/number")" 59 'the newest'
whole
unmount "$T/mnt"
