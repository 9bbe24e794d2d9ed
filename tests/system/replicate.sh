#!/bin/sh
# Replication: by a local path, TLS and ssh; pushed and pulled; cut anywhere; and
# everything that has to be refused.
. "$(dirname "$0")/lib.sh"

. "$(dirname "$0")/sitelib.sh"

src=$T/source
mkdir -p "$src"
head -c 3000000 /dev/urandom >"$src/data"
new_store
passphrase=$VARVE_PASSPHRASE
use_key d e
fingerprint=$(sed -n 's/^Fingerprint *//p' "$T/fingerprint")
backup d "$src"

part 'to a directory of this machine'
new_site "$T/dr" dr-london GB
add_site dr-london "$T/dr"
replicate dr-london
out_has 'sent to site'
same_objects "$VARVE_STORE" "$T/dr"
run 0 varve check --no-keys -s "$T/dr"
mkdir "$T/back"
run 0 varve restore -q -s "$T/dr" d@latest "$T/back/d"
same_tree "$src" "$T/back/d"

part 'nothing new'
replicate dr-london
out_has 'nothing new'

part 'what another machine sent is confirmed to this one'
XDG_STATE_HOME=$T/other.state replicate dr-london
out_has 'nothing new'
run 0 env XDG_STATE_HOME="$T/other.state" "$VARVE" status --json
equal "$(jq -c '[.sites[] | [.site, .holds, .receipt != null,
    .behind_snapshots]]' "$T/out")" '[["dr-london",1,true,0]]' 'what is known'

part 'what is new, and no more'
echo more >"$src/more"
backup d "$src"
backup e "$src"
replicate --json dr-london
equal "$(jq -r '.records, .problems' "$T/out" | tr '\n' ' ')" '2 0 ' 'records'
same_objects "$VARVE_STORE" "$T/dr"

part 'over TLS'
port=$(free_port)
new_site "$T/tls" dr-leeds GB
add_site dr-leeds "tls://127.0.0.1:$port"
refused 1 'cannot connect' varve replicate dr-leeds
serve_at "$T/tls" "$port"
replicate dr-leeds
same_objects "$VARVE_STORE" "$T/tls"
replicate dr-leeds
out_has 'nothing new'
stop_server

part 'over ssh, or what is said to be it'
new_site "$T/ssh" dr-york GB
add_site dr-york "ssh://backup@dr.example:2222$T/ssh"
cat >"$T/ssh.sh" <<-END
	#!/bin/sh
	echo "\$@" >$T/ssh.args
	while [ "\$1" != -- ]; do shift; done
	shift 2
	[ "\$1" = varve ] && shift
	eval "exec $VARVE \$*"
END
chmod +x "$T/ssh.sh"
replicate --ssh "$T/ssh.sh -q" dr-york
equal "$(cat "$T/ssh.args")" \
    "-q -p 2222 -- backup@dr.example varve serve --stdio '$T/ssh'" \
    'what ssh was told'
same_objects "$VARVE_STORE" "$T/ssh"
# Two pipes, and no socket.
cat >"$T/pipes.sh" <<-END
	#!/bin/sh
	cat | $T/ssh.sh "\$@" | cat
END
chmod +x "$T/pipes.sh"
VARVE_SSH=$T/pipes.sh replicate dr-york
out_has 'nothing new'
# The environment counts, whatever other options there are.
run 0 env VARVE_SSH="$T/ssh.sh" "$VARVE" replicate --limit 1M dr-york
VARVE_SSH=$T/ssh.sh as_admin repair --from dr-york
refused 1 "can't be run" varve replicate --ssh "$T/nosuch" dr-york
refused 1 'ended with status 1' varve replicate --ssh false dr-york
if [ -x /usr/sbin/sshd ] && command -v ssh-keygen >/dev/null; then
	sshport=$(free_port)
	mkdir -p "$T/sshd" /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f "$T/sshd/host"
	ssh-keygen -q -t ed25519 -N '' -f "$T/sshd/user"
	chmod 755 "$T/sshd"
	printf '#!/bin/sh\neval "exec %s ${SSH_ORIGINAL_COMMAND#varve}"\n' \
	    "$VARVE" >"$T/sshd/run"
	chmod 755 "$T/sshd/run"
	/usr/sbin/sshd -f /dev/null -p "$sshport" -h "$T/sshd/host" \
	    -o ListenAddress=127.0.0.1 -o "AuthorizedKeysFile=$T/sshd/user.pub" \
	    -o StrictModes=no -o PidFile="$T/sshd/pid" -o UsePAM=no \
	    -o "ForceCommand=$T/sshd/run"
	new_site "$T/sshd/dr" dr-hull GB
	add_site dr-hull "ssh://$(id -un)@127.0.0.1:$sshport$T/sshd/dr"
	replicate --ssh "ssh -i $T/sshd/user -o BatchMode=yes \
-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null" dr-hull
	same_objects "$VARVE_STORE" "$T/sshd/dr"
	kill "$(cat "$T/sshd/pid")"
else
	echo 'no sshd here: by the wrapper alone'
fi

part 'pulled by the site'
port=$(free_port)
run 0 varve serve "$VARVE_STORE" --init --site prod --country GB \
    --accreditation 'ISO/IEC 27001:2022' --until 2099-01-01
cp "$T/out" "$T/prod.request"
add_site prod "tls://127.0.0.1:$port"
new_site "$T/pull" dr-bath GB
add_site dr-bath tls://nobody.example
serve_at "$VARVE_STORE" "$port"
# It is empty and knows nobody, but has the store's fingerprint.
run 0 env -u VARVE_KEY_FILE "$VARVE" replicate -s "$T/pull" --pull \
    "tls://127.0.0.1:$port"
same_objects "$VARVE_STORE" "$T/pull"
echo evenmore >"$src/more"
backup d "$src"
run 0 env -u VARVE_KEY_FILE "$VARVE" replicate -s "$T/pull" --pull prod
same_objects "$VARVE_STORE" "$T/pull"
run 0 env -u VARVE_KEY_FILE "$VARVE" replicate -s "$T/pull" --pull prod
out_has 'nothing new'
run 0 varve status --json
equal "$(jq -c '[.sites[] | select(.site == "dr-bath") |
    [.receipt != null, .behind_snapshots]] | unique' "$T/out")" '[[true,0]]' \
    'what is known of a site that fetches'

part 'pulled, with nothing but a fingerprint'
run 0 varve serve "$T/bare" --init --site dr-bare --country GB \
    --accreditation x --until 2099-01-01 --for "$fingerprint"
cp "$T/out" "$T/dr-bare.request"
add_site dr-bare tls://nobody.example
run 0 env -u VARVE_KEY_FILE "$VARVE" replicate -s "$T/bare" --pull \
    "tls://127.0.0.1:$port"
same_objects "$VARVE_STORE" "$T/bare"

part 'pulled, as it is made'
env -u VARVE_KEY_FILE "$VARVE" replicate -s "$T/pull" --pull --watch prod \
    >"$T/watch.out" 2>"$T/watch.err" &
watcher=$!
echo evenmore >"$src/again"
backup d "$src"
as_new() {
	[ "$(newest d id)" = "$(varve list -s "$1" --json d |
	    jq -r '.snapshots[-1].id')" ]
}
within 20 as_new "$T/pull"
kill -TERM "$watcher"
wait "$watcher" || fail "watch ended with $?: $(cat "$T/watch.err")"
stop_server

part 'from site to site'
port=$(free_port)
new_site "$T/third" dr-third GB
add_site dr-third "tls://127.0.0.1:$port"
replicate dr-london
serve_at "$T/third" "$port"
# By the key of the site, which knows of the third by the keys it was sent.
run 0 env -u VARVE_KEY_FILE "$VARVE" replicate -s "$T/dr" dr-third
same_objects "$T/dr" "$T/third"
stop_server

part 'an empty site is filled with nothing but a fingerprint'
run 0 varve serve "$T/finger" --init --site dr-finger --country GB \
    --accreditation x --until 2099-01-01 --for "$fingerprint"
cp "$T/out" "$T/dr-finger.request"
add_site dr-finger "$T/finger"
replicate dr-finger
same_objects "$VARVE_STORE" "$T/finger"
