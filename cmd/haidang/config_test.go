package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

func TestExampleHoldsTheDefaults(t *testing.T) {
	c, err := LoadConfig("../../deploy/haidang.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
	c.Tokens, c.Sources = nil, nil
	if want := DefaultConfig(); !reflect.DeepEqual(c, want) {
		t.Errorf("the example says %+v, the defaults are %+v", c, want)
	}
}

// An option that is not in the example would be known to nobody.
func TestExampleHoldsEveryOption(t *testing.T) {
	b, err := os.ReadFile("../../deploy/haidang.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	var example map[string]any
	if err := toml.Unmarshal(b, &example); err != nil {
		t.Fatal(err)
	}
	n := 0
	var walk func(where string, typ reflect.Type, told any)
	walk = func(where string, typ reflect.Type, told any) {
		switch {
		case typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.Struct:
			list, _ := told.([]any)
			if len(list) == 0 {
				t.Errorf("the example has no %s", where)
				return
			}
			walk(where, typ.Elem(), list[0])
		case typ.Kind() == reflect.Struct:
			table, _ := told.(map[string]any)
			for f := range typ.Fields() {
				option := f.Tag.Get("toml")
				if option == "" || option == "-" {
					t.Errorf("%s.%s has no name in the file", where, f.Name)
					continue
				}
				value, there := table[option]
				if n++; !there {
					t.Errorf("the example does not hold %s", strings.TrimPrefix(where+"."+option, "."))
					continue
				}
				walk(where+"."+option, f.Type, value)
			}
		}
	}
	walk("", reflect.TypeFor[Config](), example)
	if n < 15 {
		t.Errorf("only %d options seen", n)
	}
}

func TestBadConfigurationIsSaidInSentences(t *testing.T) {
	const token = "[[tokens]]\nname='a'\nrole='operator'\nsha256='" + "0000000000000000000000000000000000000000000000000000000000000000'\n"
	for text, says := range map[string]string{
		token + "[broker]\ncolour='red'\n":                                              "colour",
		strings.Replace(token, "operator", "king", 1):                                   "viewer, crew, operator",
		"proxies=['the proxy']\n" + token:                                               "neither an address nor a network",
		token + "[oidc]\nissuer='https://id.example.vn'\n":                              "oidc needs client_id",
		token + "[oidc]\nissuer='http://id.example.vn'\nurl='https://ioc.example.vn'\n": "in the clear",
		token + "[oidc]\nissuer='https://id.example.vn'\nclient_id='a'\nname='n'\nurl='https://ioc.example.vn'\n[oidc.roles]\nx='king'\n": "none of the roles",
		token + "[people]\nsession_idle='0s'\n":                                            "people.session_idle",
		token + "[people]\nsession_longest='1h'\n":                                         "not above the second",
		"mqtt='0.0.0.0:1883'\n" + token + "[broker]\nopen=true":                            "without credentials",
		"http='0.0.0.0:8080'\n" + token:                                                    "tls.proxy = true",
		"mqtt='0.0.0.0:1883'\n" + token:                                                    "devices' secrets would travel in the clear",
		"mqtt_websocket=':8083'\n" + token:                                                 "mqtt_websocket = \":8083\"",
		token + "[tls]\ncert='a.pem'\n":                                                    "come together",
		token + "[tls]\ncert='/nowhere.pem'\nkey='/nowhere.key'\n":                         "tls.cert, tls.key",
		token + "[tls]\ncert='a'\nkey='a'\nacme_domains=['a.vn']\n":                        "choose one",
		token + "[tls]\nclient_ca='/nowhere.pem'\n":                                        "tls.client_ca: open /nowhere.pem",
		token + "[tls]\nclient_ca_key='/nowhere.key'\n":                                    "tls.client_ca_key",
		token + "[tls]\nclient_ca_unknown='maybe'\n":                                       "refuse or register",
		token + "[broker]\nfiles='/x'\n":                                                   "broker.url",
		token + "[broker]\nreload=['true']\n":                                              "broker.reload",
		"unknown_devices='maybe'\n" + token:                                                "refuse or register",
		token + "[broker]\nurl='tcp://usr:s3cret@h:1883'\n":                                "broker.url holds a name or password",
		token + "[influxdb]\nurl='http://usr:s3cret@h:8086'\n":                             "influxdb.token",
		token + "[broker]\nurl='usr:s3cret@h:1883'\n":                                      "broker.url is no address",
		token + "[broker]\nurl='tcp://usr:s3c%ret@h:1883'\n":                               "broker.url is no address",
		"device_limit='many'\n" + token:                                                    "device_limit",
		"[times]\nfuture='guess'\n" + token:                                                "refuse, clamp or accept",
		"[times]\nlive_within='soon'\n" + token:                                            "no duration",
		"[times]\nlive_within='2d'\n" + token:                                              "no duration",
		"[times]\nlive_within='48h'\n" + token:                                             "below the second",
		"[times]\noldest_days=0\n" + token:                                                 "at least 1",
		token + "[[sources]]\nname='a'\nformat='xml'\n":                                    "format \"xml\" is unknown",
		token + "[[sources]]\nname='A b'\nformat='senml'\n":                                "small letters",
		token + "[[sources]]\nname='a'\nformat='senml'\ntopic='ioc/v1/#'\n":                "source a: topic filter",
		token + "[[sources]]\nname='a'\nformat='senml'\ntopic='a/b'\nfolder='/x'\n":        "give one of",
		token + "[[sources]]\nname='a'\nformat='senml'\n[sources.options]\ncolour='red'\n": "colour",
		token + "[[sources]]\nname='a'\nformat='mapping'\n[sources.options]\ndevice='x'\n": "metrics: name at least one",
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
		if err != nil && strings.Contains(err.Error(), "s3c") {
			t.Errorf("a secret is shown: %v", err)
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
