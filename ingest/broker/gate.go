package broker

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/nats-io/nats-server/v2/server"

	"haidang/devices"
	"haidang/devices/credentials"
)

// Gate says who may sign in as a device.
type Gate interface {
	// SignIn checks a username and secret that came from host:port.
	SignIn(username, secret, address string) (credentials.Pass, error)
	// SignInCertificate lets in whom a certificate names, after TLS verified it.
	SignInCertificate(cert *x509.Certificate, username string) (credentials.Pass, error)
	// Valid says whether what a device signed in with still holds.
	Valid(credentials.Pass) bool
	// Known says whether there is a device of that id.
	Known(devices.ID) bool
}

// Check implements server.Authentication: who may connect, and what they may
// publish and subscribe to.
func (b *Broker) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	if o.Username == InternalUser && b.isServer(o.Password) {
		return true
	}
	if !b.ready.Load() {
		return false
	}
	client, speaksMQTT := clientID(c)
	if b.opts.Open && speaksMQTT {
		return true
	}
	address := ""
	if a := c.RemoteAddress(); a != nil {
		address = a.String()
	}
	var user *server.User
	var err error
	switch {
	case !speaksMQTT:
		err = errors.New("it does not speak MQTT") // the websockets' port takes NATS' own protocol too
	case b.opts.TLS != nil && c.GetTLSConnectionState() == nil && !fromHere(address):
		err = errors.New("it does not speak TLS; its secret went in the clear and should be replaced")
	case o.Username == InternalUser:
		err = errors.New("that name is the server's own")
	case o.Username == provisionUser && b.opts.Provision != nil && !b.opts.Gate.Known(provisionUser):
		user, err = b.admitProvision(c.GetID(), client, address)
	default:
		user, err = b.admit(c, client, address)
	}
	if err != nil {
		b.opts.Log.Warn("device was not let in", "component", "broker", "username", fmt.Sprintf("%.64q", o.Username), "address", address, "reason", err)
		return false
	}
	c.RegisterUser(user)
	return true
}

// admit finds out as which device a client signs in, and what it may do.
func (b *Broker) admit(c server.ClientAuthentication, client, address string) (*server.User, error) {
	o := c.GetOpts()
	var pass credentials.Pass
	var err error
	if t := c.GetTLSConnectionState(); o.Password == "" && t != nil && len(t.VerifiedChains) > 0 {
		pass, err = b.opts.Gate.SignInCertificate(t.PeerCertificates[0], o.Username)
	} else {
		pass, err = b.opts.Gate.SignIn(o.Username, o.Password, address)
	}
	if err != nil {
		return nil, err
	}
	if !b.owns(pass.Device, client) {
		return nil, fmt.Errorf("client id %.64q is not its own; it must be the device's id, alone or before a ':'", client)
	}
	// In the list first, so that a credential that ends just now ends this
	// session too.
	b.sessions.add(pass, c.GetID(), func(cid uint64) bool { return b.srv.GetClient(cid) != nil })
	if !b.opts.Gate.Valid(pass) {
		return nil, credentials.ErrRefused
	}
	return &server.User{Username: string(pass.Device), Permissions: b.permissions(pass.As), ConnectionDeadline: pass.NotAfter}, nil
}

// clientID is the MQTT client id of a client that has sent its CONNECT. NATS has
// it in the name by which it logs the client, behind its address, in quotes.
func clientID(c server.ClientAuthentication) (id string, ok bool) {
	name, is := c.(fmt.Stringer)
	if !is {
		return "", false
	}
	_, quoted, found := strings.Cut(name.String(), ` - "`)
	if !found {
		return "", false
	}
	id, err := strconv.Unquote(`"` + quoted)
	return id, err == nil && id != ""
}

// generated is how long the client ids are that NATS makes for who names none.
const generated = 22

// owns says whether a device may have the session of a client id: its own id or
// username, alone or before a ':', or one that NATS made, which nobody can guess. Whoever
// takes another's client id ends its connection and gets what waits for it.
func (b *Broker) owns(id devices.ID, client string) bool {
	if owner(client).Key() == id.Key() {
		return true
	}
	return len(client) == generated && !b.opts.Gate.Known(devices.ID(client)) && !strings.ContainsFunc(client, func(r rune) bool {
		return r < '0' || r > 'z' || r > '9' && r < 'A' || r > 'Z' && r < 'a'
	})
}

// owner is the device whose a client id is, if there is such a device.
func owner(client string) devices.ID {
	own, _, _ := strings.Cut(client, ":")
	return credentials.DeviceOf(own)
}

// permissions are what a device may publish and subscribe to.
func (b *Broker) permissions(id devices.ID) *server.Permissions {
	own := "ioc.v1.devices." + string(id) + "."
	publish := []string{own + "readings", own + "events", own + "state", own + "config.reported", own + "replies.>"}
	for _, filter := range b.opts.Grants[id.Key()] {
		publish = append(publish, subjectsOf(filter)...)
	}
	return &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: publish},
		Subscribe: &server.SubjectPermission{Allow: []string{own + "config", own + "commands", own + "commands.>", own + "errors"}},
	}
}

// Recheck ends the sessions of a device that stand on what no longer holds. It
// does not wait for their ends: NATS publishes last wills and clears sessions.
func (b *Broker) Recheck(id devices.ID) {
	for cid, pass := range b.sessions.of(id) {
		if !b.opts.Gate.Valid(pass) {
			b.opts.Log.Info("session ended: what the device signed in with no longer holds", "component", "broker", "device_id", id)
			b.ending.Go(func() { _ = b.srv.DisconnectClientByID(cid) }) // an error says that it is gone
		}
	}
}

// fromHere says whether an address is of this machine.
func fromHere(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}
