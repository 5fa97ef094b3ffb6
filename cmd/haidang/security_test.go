package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
	"haidang/devices/credentials"
	"haidang/devices/people"
	"haidang/devices/retention"
	"haidang/devices/statedb"
	"haidang/ingest/ingesttest"
)

// looked is what a survey finds in a configuration: "id severity where", with the
// data in dir.
func looked(t *testing.T, dir, text string) (found []string, s *survey) {
	t.Helper()
	conf := filepath.Join(dir, "haidang.toml")
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := LoadConfig(conf)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	cfg.Data = filepath.Join(dir, "data")
	if s, err = newSurvey(t.Context(), cfg, conf, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, f := range s.Findings {
		if f.What == "" || f.Why == "" || f.Do == "" || f.Where == "" {
			t.Errorf("%+v says too little", f)
		}
		found = append(found, fmt.Sprintf("%s %s %s", f.ID, f.Severity, strings.TrimPrefix(f.Where, dir+"/")))
	}
	return found, s
}

func sum(secret string) string {
	h := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(h[:])
}

func aToken(name, role, secret string) string {
	return fmt.Sprintf("[[tokens]]\nname = %q\nrole = %q\nsha256 = %q\n", name, role, sum(secret))
}

// Each weakness of a configuration is found where it is, and not where it is not.
func TestWeaknessesOfAConfiguration(t *testing.T) {
	const proxied = "[tls]\nproxy = true\n"
	oidc := func(issuer, roles string) string {
		return "[oidc]\nissuer = \"" + issuer + "\"\nurl = \"https://ioc.example.vn\"\nroles = {" + roles + "}\n"
	}
	source := func(way string) string {
		return "[[sources]]\nname = \"ais\"\nformat = \"nmea\"\n" + way + "\n"
	}
	for _, c := range []struct{ finding, with, without string }{
		{"clear-text critical http", `http = "0.0.0.0:8080"`, `http = "127.0.0.1:8080"`},
		{"clear-text critical mqtt", `mqtt = ":1883"`, "mqtt = \":1883\"\n" + proxied},
		{"clear-text critical mqtt_websocket", `mqtt_websocket = ":8084"`, `mqtt_websocket = "localhost:8084"`},
		{"proxy-unnamed high proxies", proxied, "proxies = [\"127.0.0.1\"]\n" + proxied},
		{"proxy-passed-by medium http", "http = \":8080\"\n" + proxied, proxied},
		{"proxies-wide critical proxies", `proxies = ["0.0.0.0/0"]`, `proxies = ["10.0.0.5"]`},
		{"proxies-wide critical proxies", `proxies = ["::/0"]`, `proxies = ["fd00::1"]`},
		{"proxies-wide high proxies", `proxies = ["203.0.112.0/20"]`, `proxies = ["203.0.113.0/28"]`},
		{"proxies-wide medium proxies", `proxies = ["10.0.0.0/8"]`, `proxies = ["10.1.0.0/16", "127.0.0.0/8"]`},
		{"broker-open medium broker.open", "[broker]\nopen = true", "[broker]\nopen = false"},
		{"broker-open critical broker.open", "mqtt = \":1883\"\n[broker]\nopen = true", ""},
		{"unknown-registered medium unknown_devices", `unknown_devices = "register"`, `unknown_devices = "refuse"`},
		{"device-limit-off low device_limit", `device_limit = ""`, `device_limit = "100:1"`},
		{"session-idle-long medium people.session_idle", "[people]\nsession_idle = \"48h\"", "[people]\nsession_idle = \"24h\""},
		{"session-longest-long medium people.session_longest", "[people]\nsession_longest = \"8760h\"", "[people]\nsession_longest = \"720h\""},
		{"oidc-clear-text critical oidc.issuer", oidc("http://id.example.vn", `"a" = "viewer"`), oidc("http://127.0.0.1:5556", `"a" = "viewer"`)},
		{"oidc-role-wide high oidc.roles", oidc("https://id.example.vn", `"Everyone" = "operator"`), oidc("https://id.example.vn", `"Everyone" = "viewer"`)},
		{"oidc-admin low oidc.roles", oidc("https://id.example.vn", `"ioc" = "admin"`), oidc("https://id.example.vn", `"ioc" = "admin@dong-hoi"`)},
		{"token-example medium tokens[0]", "[[tokens]]\nname = \"a\"\nrole = \"viewer\"\nsha256 = \"" + strings.Repeat("0", 64) + "\"", aToken("a", "viewer", rand.Text())},
		{"token-shared high tokens[1]", aToken("a", "viewer", "Xy1Xy1Xy1") + aToken("b", "operator", "Xy1Xy1Xy1"), aToken("a", "viewer", "Xy1Xy1Xy1") + aToken("b", "operator", "Xy1Xy1Xy2")},
		{"token-admin high tokens[0]", aToken("a", "admin", rand.Text()), aToken("a", "operator", rand.Text())},
		{"token-guessed critical tokens[0]", aToken("a", "viewer", "haidang"), aToken("a", "viewer", rand.Text())},
		{"token-guessed critical tokens[0]", aToken("Trạm Bơm", "viewer", "trạmbơm"), aToken("Trạm Bơm", "viewer", "trạmbơm-Q7")},
		{"token-guessed critical tokens[0]", aToken("a", "viewer", "194503"), aToken("a", "viewer", "1945-0209")},
		{"token-guessed critical tokens[0]", aToken("a", "viewer", "zq9x"), ""},
		{"token-guessed critical tokens[0]", aToken("a", "viewer", ""), ""},
		{"clear-to-broker critical broker.url", "[broker]\nurl = \"tcp://192.0.2.7:1\"", "[broker]\nurl = \"tcp://127.0.0.1:1\""},
		{"clear-to-broker medium broker.url", "[broker]\nurl = \"tcp://mosquitto:1\"", "[broker]\nurl = \"ssl://127.0.0.1:1\""},
		{"broker-no-credentials medium broker.username", "[broker]\nurl = \"tcp://127.0.0.1:1\"", "[broker]\nurl = \"tcp://127.0.0.1:1\"\nusername = \"h\""},
		{"clear-to-influxdb critical influxdb.url", "[influxdb]\nurl = \"http://influx.example.vn:8086\"\ntoken = \"x\"", "[influxdb]\nurl = \"https://influx.example.vn:8086\"\ntoken = \"x\""},
		{"clear-to-influxdb medium influxdb.url", "[influxdb]\nurl = \"http://influxdb:8086\"\ntoken = \"x\"", "[influxdb]\nurl = \"http://127.0.0.1:8086\"\ntoken = \"x\""},
		{"password-in-url high influxdb.url", "[influxdb]\nurl = \"http://a:b@127.0.0.1:8086\"", "[influxdb]\nurl = \"http://127.0.0.1:8086\""},
		{"influxdb-no-token medium influxdb.token", "[influxdb]\nurl = \"http://127.0.0.1:8086\"", "[influxdb]\nurl = \"http://127.0.0.1:8086\"\ntoken = \"x\""},
		{"source-open high sources[0].listen", source(`listen = "udp://0.0.0.0:10110"`), source(`listen = "udp://127.0.0.1:10110"`)},
		{"source-clear-text medium sources[0].connect", source(`connect = "tcp://ais.example.vn:10110"`), source(`connect = "tcp://10.0.0.9:10110"`)},
		{"source-many low sources[0].from", source("topic = \"x/+\"\nfrom = [\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"]"), source("topic = \"x/+\"\nfrom = [\"a\"]")},
	} {
		t.Run(c.finding, func(t *testing.T) {
			dir := t.TempDir()
			if got, s := looked(t, dir, c.with); !slices.Contains(got, c.finding) {
				t.Errorf("with it: %q", got)
			} else if i := slices.Index(got, c.finding); s.Findings[i].Line == 0 && !strings.Contains(c.finding, "unnamed") && !strings.Contains(c.finding, "broker.username") && !strings.Contains(c.finding, "influxdb.token") {
				t.Errorf("it is not said on which line: %+v", s.Findings[i])
			}
			id, _, _ := strings.Cut(c.finding, " ")
			where := c.finding[strings.LastIndex(c.finding, " "):]
			if got, _ := looked(t, dir, c.without); slices.ContainsFunc(got, func(f string) bool { return strings.HasPrefix(f, id+" ") && strings.HasSuffix(f, where) }) {
				t.Errorf("without it: %q", got)
			}
		})
	}
}

// What others may read or change is found by its mode.
func TestWeaknessesOfFiles(t *testing.T) {
	dir := t.TempDir()
	key, token := filepath.Join(dir, "tls.key"), filepath.Join(dir, "influx.token")
	text := fmt.Sprintf("[tls]\ncert = %q\nkey = %q\n", filepath.Join(dir, "tls.crt"), key)
	for _, p := range []string{key, token, filepath.Join(dir, "tls.crt")} {
		if err := os.WriteFile(p, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o750); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HAIDANG_INFLUXDB_TOKEN_FILE", token)
	if got, _ := looked(t, dir, text); slices.ContainsFunc(got, func(f string) bool { return strings.HasPrefix(f, "file-") || strings.HasPrefix(f, "data-") }) {
		t.Errorf("where nothing is open: %q", got)
	}
	for _, c := range []struct {
		path    string
		mode    os.FileMode
		finding string
	}{
		{"tls.key", 0o644, "file-readable high"}, {"tls.key", 0o620, "file-writable high"}, {"tls.key", 0o602, "file-writable critical"},
		{"influx.token", 0o604, "file-readable high"}, {"haidang.toml", 0o644, "file-readable high"}, {"haidang.toml", 0o666, "file-writable critical"},
		{"data", 0o755, "data-open high"}, {"data", 0o770, "data-group-writes medium"},
	} {
		path := filepath.Join(dir, c.path)
		before, err := os.Stat(path)
		if err == nil {
			err = os.Chmod(path, c.mode)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := looked(t, dir, text); !slices.Contains(got, c.finding+" "+c.path) {
			t.Errorf("%s %o: %q", c.path, c.mode, got)
		}
		if err := os.Chmod(path, before.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	// Without a secret in it, anybody may read the configuration.
	os.Unsetenv("HAIDANG_INFLUXDB_TOKEN_FILE")
	if err := os.Chmod(filepath.Join(dir, "haidang.toml"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, _ := looked(t, dir, text); slices.Contains(got, "file-readable high haidang.toml") {
		t.Errorf("hashes alone: %q", got)
	}
}

// Certificates are looked at before they end.
func TestWeaknessesOfCertificates(t *testing.T) {
	dir := t.TempDir()
	strong, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GODEBUG", "rsa1024min=0")
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	day := 24 * time.Hour
	for _, c := range []struct {
		left time.Duration
		key  any
		want string
	}{{400 * day, strong, ""}, {20 * day, strong, "certificate-expiring medium"}, {3 * day, strong, "certificate-expiring high"}, {-day, strong, "certificate-expired critical"}, {400 * day, weak, "certificate-weak high"}} {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ioc.example.vn"}, NotBefore: time.Now().Add(-500 * day), NotAfter: time.Now().Add(c.left), IsCA: true, BasicConstraintsValid: true}
		var public any = &strong.PublicKey
		if c.key == any(weak) {
			public = &weak.PublicKey
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, public, c.key)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := x509.MarshalPKCS8PrivateKey(c.key)
		if err != nil {
			t.Fatal(err)
		}
		cert, key := filepath.Join(dir, "c.crt"), filepath.Join(dir, "c.key")
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600)
		text := fmt.Sprintf("[tls]\ncert = %q\nkey = %q\n", cert, key)
		got, _ := looked(t, dir, text)
		got = slices.DeleteFunc(got, func(f string) bool { return !strings.HasPrefix(f, "certificate-") })
		if strings.Join(got, ",") != strings.TrimSpace(c.want+" tls.cert") && c.want != "" || c.want == "" && len(got) > 0 {
			t.Errorf("%v left: %q, want %q", c.left, got, c.want)
		}
		if without, _ := looked(t, dir, text); !slices.Contains(without, "client-ca-missing low tls.client_ca") {
			t.Errorf("without an authority of devices: %q", without)
		}
		got, _ = looked(t, dir, text+fmt.Sprintf("client_ca = %q\nclient_ca_unknown = \"register\"\n", cert))
		if c.want != "" && !slices.Contains(got, c.want+" tls.client_ca") || slices.Contains(got, "client-ca-missing low tls.client_ca") || !slices.Contains(got, "client-ca-register medium tls.client_ca_unknown") {
			t.Errorf("as an authority of devices, %v left: %q", c.left, got)
		}
	}
}

// A broker that lets in anybody is found by asking it.
func TestBrokerThatLetsInAnybodyIsFound(t *testing.T) {
	dir := t.TempDir()
	anybody, _ := looked(t, dir, "[broker]\nurl = \"tcp://"+mosquitto(t)+"\"")
	if !slices.Contains(anybody, "broker-anonymous high broker.url") {
		t.Errorf("anybody: %q", anybody)
	}
	m := ingesttest.StartMosquitto(t, ingesttest.MosquittoOptions{Users: map[string]string{"haidang-ingest": "x"}, ACL: "user haidang-ingest\ntopic readwrite #\n"})
	closed, s := looked(t, dir, "[broker]\nurl = \""+m.URL+"\"\nusername = \"haidang-ingest\"")
	if slices.ContainsFunc(closed, func(f string) bool { return strings.HasPrefix(f, "broker-") }) || slices.ContainsFunc(s.Unseen, func(u string) bool { return strings.Contains(u, "broker") }) {
		t.Errorf("who has a password: %q, %q", closed, s.Unseen)
	}
	_, s = looked(t, dir, "[broker]\nurl = \"tcp://127.0.0.1:1\"")
	if !slices.ContainsFunc(s.Unseen, func(u string) bool { return strings.Contains(u, "broker") }) {
		t.Errorf("what cannot be asked is not said: %q", s.Unseen)
	}
}

// What is weak about accounts and devices is found in the data, beside a program
// that has it open.
func TestWeaknessesOfData(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(data, 0o750))
	if got, s := looked(t, dir, ""); len(got) != 0 || len(s.Unseen) != 1 {
		t.Errorf("without data: %q, %q", got, s.Unseen)
	}
	db, err := statedb.Open(filepath.Join(data, "state.db"))
	must(err)
	defer db.Close()
	ctx := t.Context()
	if _, s := looked(t, dir, ""); len(s.Unseen) != 2 {
		t.Errorf("a database of nothing: %q", s.Unseen)
	}
	reg, err := devices.NewRegistry(ctx, db)
	must(err)
	trail, err := audit.Open(ctx, db)
	must(err)
	creds, err := credentials.Open(ctx, db, credentials.Options{Registry: reg, Audit: trail})
	must(err)
	staff, err := people.Open(ctx, db, trail, people.Options{})
	must(err)
	exec := func(query string, args ...any) {
		t.Helper()
		_, err := db.ExecContext(ctx, query, args...)
		must(err)
	}
	is := func(when, text string, want ...string) {
		t.Helper()
		got, s := looked(t, dir, text)
		slices.Sort(got)
		if strings.Join(got, "; ") != strings.Join(want, "; ") || len(s.Unseen) > 0 {
			t.Errorf("%s: %q, want %q; not looked at: %q", when, got, want, s.Unseen)
		}
	}
	is("nobody", "", "no-accounts low accounts")
	is("tokens alone", aToken("a", "operator", rand.Text()), "no-accounts medium accounts")

	_, _, err = staff.Create(ctx, people.Account{Name: "boss", Grants: []people.Grant{{Role: "admin"}}})
	must(err)
	is("an administrator with a first password", "", "admin-no-factor high accounts")
	old := time.Now().Add(-8 * 24 * time.Hour).UnixMilli()
	exec(`UPDATE account SET created_at=?`, old)
	is("a first password that lies about", "", "admin-no-factor high accounts", "first-password medium accounts")
	exec(`UPDATE account SET must_change=0, totp_secret='x', signed_in_at=?`, old)
	is("as it should be", "")
	exec(`UPDATE account SET totp_secret='', subject='https://id#1'`)
	is("of an identity provider", "")
	exec(`UPDATE account SET created_at=1, signed_in_at=1`)
	is("long unused", "", "account-unused low accounts")
	exec(`UPDATE account SET disabled=1`)
	is("disabled", "", "no-accounts low accounts")
	classes, err := retention.Open(ctx, db, trail, retention.Options{})
	must(err)
	is("classes as they ship", "", "no-accounts low accounts")
	plates, err := classes.Change(ctx, retention.Plates, retention.Period{}, nil, 0, "theo văn bản số 12 của Sở")
	must(err)
	is("plates for ever", "", "no-accounts low accounts", "personal-for-ever medium retention classes")
	_, err = classes.Change(ctx, retention.Plates, retention.Period{Days: 30}, nil, plates.Version, "theo văn bản số 12 của Sở")
	must(err)
	exec(`UPDATE account SET disabled=0, signed_in_at=?, subject=NULL, grants='[{"role":"own"}]'`, old)
	_, err = staff.PutRole(ctx, people.Role{ID: "own", Name: people.Name{VI: "Riêng"}, Actions: []people.Action{people.PersonManage}})
	must(err)
	is("a role of one's own that manages people", "", "admin-no-factor high accounts")
	exec(`UPDATE account SET grants='[{"role":"viewer"}]'`)

	_, err = reg.Create(ctx, devices.Device{ID: "d1", Type: "generic", Name: "d1"})
	must(err)
	is("a device without a secret", "", "device-no-credential low devices")
	_, err = creds.IssueSecret(ctx, "d1")
	must(err)
	is("one that ends never", "", "secret-endless low devices")
	year := time.Now().Add(365 * 24 * time.Hour).UnixMilli()
	exec(`UPDATE credential SET not_after=?`, year)
	is("with an end", "")
	exec(`UPDATE credential SET created_at=1`)
	is("an old one", "", "secret-old medium devices")
	exec(`UPDATE credential SET created_at=?, hash='$sha256$00'`, old)
	is("of an earlier version", "", "secret-old-hash medium devices")
	exec(`UPDATE credential SET revoked_at=1`)
	exec(`INSERT INTO certificate(fingerprint,device,serial,created_at,not_before,not_after,revoked_at,used_at) VALUES('f','d1','1',0,0,?,0,0)`, year)
	is("a certificate in its place", "")
	for _, c := range []struct {
		key  credentials.Key
		want string
	}{
		{credentials.Key{}, "provisioning-open high provisioning keys"},
		{credentials.Key{Most: 5}, "provisioning-unbounded medium provisioning keys"},
		{credentials.Key{NotAfter: time.UnixMilli(year)}, "provisioning-unbounded medium provisioning keys"},
		{credentials.Key{Most: 5, NotAfter: time.UnixMilli(year)}, ""},
	} {
		c.key.Type, c.key.Label = "generic", "Lô 1"
		k, _, err := creds.CreateKey(ctx, c.key)
		must(err)
		if c.want == "" {
			is("a bounded key", "")
		} else {
			is("a key", "", c.want)
		}
		_, err = creds.DisableKey(ctx, k.Key)
		must(err)
	}
	is("keys that are disabled", "")
}

// What ships has no critical weakness, and the command says so by its end.
func TestShippedConfigurationsAreNotCritical(t *testing.T) {
	dir := t.TempDir()
	var out strings.Builder
	check := func(path string, asJSON bool) error {
		out.Reset()
		return (&checkCmd{Config: path, Security: true, Data: filepath.Join(dir, "data"), JSON: asJSON}).run(t.Context(), &out)
	}
	const example = "../../deploy/haidang.example.toml"
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(text), "\n[[tokens]]")
	line := fmt.Sprintf("example.toml:%d)", strings.Count(before, "\n")+2)
	if err := check(example, false); err != nil || !strings.Contains(out.String(), "MEDIUM    tokens[0]") || !strings.Contains(out.String(), line) || !strings.Contains(out.String(), "0 critical, 0 high, 1 medium, 0 low") {
		t.Errorf("%v\n%s", err, &out)
	}
	// As compose.yaml runs it.
	for k, v := range map[string]string{"HTTP": ":8080", "TLS_PROXY": "true", "BROKER_URL": "tcp://mosquitto:1883", "BROKER_USERNAME": "haidang-ingest", "BROKER_PASSWORD": "x", "INFLUXDB_URL": "http://influxdb:8086", "INFLUXDB_TOKEN": "x"} {
		t.Setenv("HAIDANG_"+k, v)
	}
	err = check("", true)
	if err == nil || !strings.Contains(err.Error(), "high") {
		t.Errorf("a proxy without a name ends with %v", err)
	}
	var got struct {
		Findings []struct{ ID, Severity string }
	}
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatalf("%v: %s", err, &out)
	}
	if s := fmt.Sprint(got.Findings); s != "[{proxy-unnamed high} {proxy-passed-by medium} {clear-to-broker medium} {clear-to-influxdb medium}]" {
		t.Errorf("compose.yaml: %s", s)
	}
}
