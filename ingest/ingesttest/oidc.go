package ingesttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// Provider is a running OpenID provider: the example server of zitadel/oidc, a
// certified implementation.
type Provider struct {
	process
	Issuer string
}

// ProviderUser is somebody whom it knows; a test's claim about roles is their
// last name, for it has no groups.
type ProviderUser struct{ ID, Username, Password, FirstName, LastName string }

// StartProvider starts an OpenID provider on a free port, which sends browsers
// back to redirect. Its client is "web" with the secret "secret". It ends with
// the test. HAIDANG_OIDC_PROVIDER may name the program.
func StartProvider(t testing.TB, redirect string, users ...ProviderUser) *Provider {
	t.Helper()
	program, dir, port := find(t, "oidc-provider", "HAIDANG_OIDC_PROVIDER"), t.TempDir(), strconv.Itoa(freePort(t))
	by := map[string]ProviderUser{}
	for _, u := range users {
		by[u.ID] = u
	}
	b, err := json.Marshal(by)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "users.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	p := &Provider{Issuer: "http://localhost:" + port + "/"}
	p.process = process{t: t, name: "oidc-provider", program: program, env: []string{"PORT=" + port, "REDIRECT_URI=" + redirect, "USERS_FILE=" + file},
		log: filepath.Join(dir, "provider.log"), ready: p.ping}
	p.cleanup()
	p.Start()
	return p
}

func (p *Provider) ping() error {
	res, err := http.Get(p.Issuer + ".well-known/openid-configuration")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", res.Status)
	}
	return nil
}
