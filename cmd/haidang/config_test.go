package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestExampleHoldsTheDefaults(t *testing.T) {
	c, err := LoadConfig("../../deploy/haidang.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
	c.Tokens = nil
	if want := DefaultConfig(); !reflect.DeepEqual(c, want) {
		t.Errorf("the example says %+v, the defaults are %+v", c, want)
	}
}

func TestBadConfigurationIsSaidInSentences(t *testing.T) {
	const token = "[[tokens]]\nname='a'\nrole='operator'\nsha256='" + "0000000000000000000000000000000000000000000000000000000000000000'\n"
	for text, says := range map[string]string{
		token + "[broker]\ncolour='red'\n": "colour",
		"":                                 "no tokens",
		strings.Replace(token, "operator", "king", 1):           "viewer, crew, operator",
		"mqtt='0.0.0.0:1883'\n" + token + "[broker]\nopen=true": "without credentials",
		"unknown_devices='maybe'\n" + token:                     "refuse or register",
	} {
		p := filepath.Join(t.TempDir(), "c.toml")
		os.WriteFile(p, []byte(text), 0o600)
		c, err := LoadConfig(p)
		if err == nil {
			err = c.Check()
		}
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q says %v, want …%s…", text, err, says)
		}
	}
}

func TestSecretFromAFile(t *testing.T) {
	p := filepath.Join(t.TempDir(), "secret")
	os.WriteFile(p, []byte("xyz\n"), 0o600)
	t.Setenv("HAIDANG_BROKER_PASSWORD_FILE", p)
	if c, err := LoadConfig(""); err != nil || c.Broker.Password != "xyz" {
		t.Errorf("password %q: %v", c.Broker.Password, err)
	}
}

func TestDemoListensOnlyHere(t *testing.T) {
	d := &demoCmd{HTTP: "0.0.0.0:0", MQTT: "127.0.0.1:0"}
	if err := d.run(t.Context(), os.Stdout, nil); err == nil || !strings.Contains(err.Error(), "only on this machine") {
		t.Errorf("demo beyond loopback: %v", err)
	}
	s, _ := demo(t, nil)
	again := &demoCmd{HTTP: strings.TrimPrefix(s.HTTP, "http://"), MQTT: "127.0.0.1:0", Scenario: "quang-binh", Data: t.TempDir()}
	if err := again.run(t.Context(), os.Stdout, nil); err == nil || !strings.Contains(err.Error(), "is taken") || !strings.Contains(err.Error(), "--http") {
		t.Errorf("a second demo on the port: %v", err)
	}
}
