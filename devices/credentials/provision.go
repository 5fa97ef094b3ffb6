package credentials

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"haidang/devices"
	"haidang/devices/audit"
)

// Request is how a device asks to be registered, as devices of ThingsBoard do
// (thingsboard.io, "Device provisioning").
type Request struct {
	Name   string `json:"deviceName"` // its id; empty: one is made
	Key    string `json:"provisionDeviceKey"`
	Secret string `json:"provisionDeviceSecret"`
	// Type of what it wants to sign in with; empty or MQTT_BASIC, without a
	// password of its own: those that devices choose are often one for all.
	Type     string `json:"credentialsType"`
	Password string `json:"password"`
	Token    string `json:"token"`
	Hash     string `json:"hash"`
}

// Answer is what a device is told.
type Answer struct {
	// Status is SUCCESS, NOT_FOUND (no such key and secret) or FAILURE.
	Status string     `json:"status"`
	Type   string     `json:"credentialsType,omitempty"`
	Value  *MQTTLogin `json:"credentialsValue,omitempty"`
	Error  string     `json:"errorMsg,omitempty"`
}

// MQTTLogin is what a device signs in with over MQTT; over HTTP, as Basic, without
// the client id.
type MQTTLogin struct {
	ClientID string `json:"clientId"`
	Username string `json:"userName"`
	Password string `json:"password"`
}

// Provision registers a device that shows a key, or gives a registered one its
// first credential. It never gives a second: who has a key cannot take over a
// device. The error is for us; a device is told by the answer.
func (s *Store) Provision(ctx context.Context, r Request, address string) (Answer, error) {
	now := time.Now()
	// The key stands in a device's place: guesses of its secret are slowed alike.
	if s.guesses.spent(address, devices.ID("provision "+r.Key), now) {
		return failure("too many wrong secrets from this address; wait"), nil
	}
	k, err := getKey(s.db.QueryRowContext(ctx, selectKeys+` WHERE key=?`, r.Key))
	if err != nil && !errors.Is(err, devices.ErrNotFound) {
		return failure("try again later"), fmt.Errorf("provision: %w", err)
	}
	known := err == nil
	if known {
		s.hashing <- struct{}{}
		known, _ = matches(k.hash, r.Secret)
		<-s.hashing
	}
	if !known {
		s.guesses.count(address, devices.ID("provision "+r.Key), now)
		return Answer{Status: "NOT_FOUND", Error: "there is no such provisioning key and secret"}, nil
	}
	if r.Type != "" && r.Type != "MQTT_BASIC" || r.Password != "" || r.Token != "" || r.Hash != "" {
		return failure("credentials are made here: leave out credentialsType, or say MQTT_BASIC without a password"), nil
	}
	if r.Name == "" && !k.Existing {
		r.Name = "d-" + strings.ToLower(rand.Text()[:12])
	}
	id, err := devices.ParseID(r.Name)
	if err != nil {
		return failure("deviceName: " + err.(*devices.FieldError).Reason), nil
	}
	ctx = audit.As(ctx, audit.Actor{Who: "provisioning key " + k.Key, Role: "device", Address: Neighbourhood(address)})
	secret, err := s.provision(ctx, k.Key, id)
	if fe, ok := errors.AsType[*devices.FieldError](err); ok {
		return failure(fe.Reason), nil
	}
	if err != nil {
		return failure("try again later"), fmt.Errorf("provision %s: %w", id, err)
	}
	return Answer{Status: "SUCCESS", Type: "MQTT_BASIC", Value: &MQTTLogin{string(id), string(id), secret}}, nil
}

func failure(why string) Answer { return Answer{Status: "FAILURE", Error: why} }

// provision registers the device, counts it and issues its credential. What was
// done before a step that fails stays: the device is there then, and somebody
// has to give it a secret.
func (s *Store) provision(ctx context.Context, key string, id devices.ID) (secret string, err error) {
	s.provisioning.Lock() // one device at a time
	defer s.provisioning.Unlock()
	refuse := func(why string) error { return &devices.FieldError{Field: "deviceName", Reason: why} }
	k, err := getKey(s.db.QueryRowContext(ctx, selectKeys+` WHERE key=?`, key))
	if err != nil {
		return "", err
	}
	if why := k.over(time.Now()); why != "" {
		return "", refuse(why)
	}
	d, exists := s.o.Registry.Get(id)
	if exists {
		all, err := s.List(ctx, d.ID)
		if err != nil {
			return "", err
		}
		if !k.Existing || len(all) > 0 {
			return "", refuse("there is a device of that name")
		}
	} else if k.Existing {
		return "", refuse("no device of that name is registered")
	} else if d, err = s.o.Registry.Create(ctx, k.device(id)); err != nil {
		return "", err
	}
	if err := s.inTx(ctx, "count a provisioning", func(tx *sql.Tx) error {
		after, err := json.Marshal(map[string]string{"device": string(d.ID)})
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE provisioning_key SET used=used+1 WHERE key=?`, key); err != nil {
			return err
		}
		return s.o.Audit.Append(ctx, tx, audit.Entry{Action: "provisioning.use", Kind: "provisioning_key", ID: key, After: after})
	}); err != nil {
		return "", err
	}
	return s.IssueSecret(ctx, d.ID)
}

// ProvisionJSON is Provision for a request as it came, and the answer as it is
// sent. Members that it does not know are passed over: other products' devices
// send more.
func (s *Store) ProvisionJSON(ctx context.Context, request []byte, address string) []byte {
	var r Request
	a := failure("the request is not the JSON that is expected: deviceName, provisionDeviceKey, provisionDeviceSecret")
	if json.Unmarshal(request, &r) == nil {
		var err error
		if a, err = s.Provision(ctx, r, address); err != nil {
			s.o.Log.Error("a device could not be provisioned", "component", "credentials", "error", err)
		}
	}
	b, err := json.Marshal(a)
	if err != nil { // strings alone
		panic(err)
	}
	return b
}

// MayProvision says whether an address may ask again, and counts it.
func (s *Store) MayProvision(address string) bool {
	now := time.Now()
	if s.guesses.spent(address, "provision", now) {
		return false
	}
	s.guesses.count(address, "provision", now)
	return true
}
