package broker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Provisioner lets devices register themselves.
type Provisioner interface {
	// MayProvision says whether an address may ask again, and counts it.
	MayProvision(address string) bool
	// ProvisionJSON answers a request.
	ProvisionJSON(ctx context.Context, request []byte, address string) []byte
}

// As devices of ThingsBoard ask: as this user, without a password, on a topic
// that all of them share. As all share the topic of the answers too, and an
// answer holds a secret, there is one such session at a time. The next begins
// when what the last one sent must have come.
const (
	provisionUser    = "provision"
	provisionAsk     = "/.provision.request"
	provisionAnswer  = "/.provision.response"
	provisionSession = 10 * time.Second
	provisionPause   = 2 * time.Second
)

// provisioning is who registers itself just now.
type provisioning struct {
	mu      sync.Mutex
	cid     uint64
	address string
	free    time.Time // when the next may begin
	asked   bool
}

// admitProvision lets in a device that registers itself, if no other does, and
// it takes nobody's session.
func (b *Broker) admitProvision(cid uint64, client, address string) (*server.User, error) {
	if own := owner(client); own.Key() == InternalUser || b.opts.Gate.Known(own) {
		return nil, fmt.Errorf("client id %.64q is another's", client)
	}
	p := &b.provisioning
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Before(p.free) || !b.opts.Provision.MayProvision(address) {
		return nil, errors.New("another device registers itself just now, or its address asks too often")
	}
	p.cid, p.address, p.asked, p.free = cid, address, false, now.Add(provisionSession+provisionPause)
	return &server.User{Username: provisionUser, ConnectionDeadline: now.Add(provisionSession), Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: []string{provisionAsk}},
		Subscribe: &server.SubjectPermission{Allow: []string{provisionAnswer}},
	}}, nil
}

// provision answers a session's first request, and ends the session.
func (in *intake) provision(m *nats.Msg) {
	switch acked := strings.HasPrefix(m.Subject, storePrefix); {
	case acked:
		defer func() { _ = in.conn.Publish(m.Reply, answer) }()
	case m.Header.Get(qosHeader) != "0":
		return // it comes by the other way too
	}
	p := &in.b.provisioning
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked || time.Now().After(p.free) {
		return
	}
	p.asked = true
	_ = in.conn.Publish(provisionAnswer, in.b.opts.Provision.ProvisionJSON(in.ctx, m.Data, p.address))
	cid := p.cid
	time.AfterFunc(provisionPause/2, func() { _ = in.b.srv.DisconnectClientByID(cid) })
	p.free = time.Now().Add(provisionPause/2 + provisionPause)
}
