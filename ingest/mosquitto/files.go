package mosquitto

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"haidang/devices/credentials"
)

// The files that Write makes, and those of the operator that it puts behind
// them: users and rights of gateways, sirens and other systems.
const (
	PasswordFile      = "haidang.passwd"
	ACLFile           = "haidang.acl"
	LocalPasswordFile = "local.passwd"
	LocalACLFile      = "local.acl"
)

// Options say what stands in the files.
type Options struct {
	// Dir is where the files are. Its group should be mosquitto's: what is made
	// there may be read by the group.
	Dir string
	// Username and Password are those of Hải Đăng itself; an empty password
	// leaves it to the operator's own file.
	Username, Password string
	// Filters are the topics of feeds beside our own, Grants those on which a
	// device may publish, by devices.ID.Key.
	Filters []string
	Grants  map[string][]string
	// Logins are what devices may sign in with.
	Logins func() (logins []credentials.Login, missing int)
}

// Write makes both files anew, and their folder, each at once or not at all.
// missing is how many credentials mosquitto cannot let in: those of which it has
// no hash yet (credentials.Store.Logins), and those under the name of Hải Đăng or
// of a user of the operator's, who may do more than a device.
func Write(o Options) (devices, missing int, err error) {
	logins, missing := o.Logins()
	taken, err := o.taken()
	if err != nil {
		return 0, 0, err
	}
	all := len(logins)
	logins = slices.DeleteFunc(logins, func(l credentials.Login) bool { return taken[l.Username] })
	missing += all - len(logins)
	passwords, err := o.passwords(logins)
	if err != nil {
		return 0, 0, err
	}
	acl, err := o.acl(logins)
	if err != nil {
		return 0, 0, err
	}
	if err := os.MkdirAll(o.Dir, 0o750); err != nil {
		return 0, 0, fmt.Errorf("make the folder of mosquitto's files: %w", err)
	}
	// The rights first: a name without rights can do nothing.
	if err := replace(filepath.Join(o.Dir, ACLFile), acl); err != nil {
		return 0, 0, err
	}
	return len(logins), missing, replace(filepath.Join(o.Dir, PasswordFile), passwords)
}

func (o *Options) passwords(logins []credentials.Login) ([]byte, error) {
	var b bytes.Buffer
	if o.Password != "" {
		hash, err := hashOf(o.Password)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s:%s\n", o.Username, hash)
	}
	for _, l := range logins {
		fmt.Fprintf(&b, "%s:%s\n", l.Username, l.Hash)
	}
	err := o.appendLocal(&b, LocalPasswordFile)
	return b.Bytes(), err
}

// acl is what devices and Hải Đăng may do. Who has no line may do nothing.
func (o *Options) acl(logins []credentials.Login) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("# Written by Hải Đăng; what you add belongs into " + LocalACLFile + ".\n" +
		"# A device does only what is its own: %u is the name it signed in with, its id.\n")
	rights(&b, "pattern", "%u")
	fmt.Fprintf(&b, "\nuser %s\ntopic readwrite ioc/v1/#\ntopic read $SYS/broker/publish/messages/dropped\n", o.Username)
	for _, f := range o.Filters {
		fmt.Fprintf(&b, "topic read %s\n", f)
	}
	for _, l := range logins {
		second := l.Username != string(l.Device)
		grants := o.Grants[l.Device.Key()]
		if !second && len(grants) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\nuser %s\n", l.Username)
		if second {
			rights(&b, "topic", string(l.Device))
		}
		for _, f := range grants {
			fmt.Fprintf(&b, "topic write %s\n", f)
		}
	}
	err := o.appendLocal(&b, LocalACLFile)
	return b.Bytes(), err
}

// rights are a device's own topics (ARCHITECTURE.md, contracts).
func rights(b *bytes.Buffer, word, id string) {
	for _, leaf := range []string{"readings", "events", "state", "config/reported", "replies/+"} {
		fmt.Fprintf(b, "%s write ioc/v1/devices/%s/%s\n", word, id, leaf)
	}
	for _, leaf := range []string{"config", "commands/+", "errors"} {
		fmt.Fprintf(b, "%s read ioc/v1/devices/%s/%s\n", word, id, leaf)
	}
}

// taken are the names that are not devices'.
func (o *Options) taken() (map[string]bool, error) {
	text, err := o.local(LocalPasswordFile)
	names := map[string]bool{o.Username: true}
	for line := range strings.Lines(text) {
		name, _, _ := strings.Cut(line, ":")
		names[strings.TrimSpace(name)] = true
	}
	return names, err
}

func (o *Options) appendLocal(b *bytes.Buffer, name string) error {
	text, err := o.local(name)
	if text = strings.TrimSpace(text); text != "" {
		b.WriteString("\n" + text + "\n")
	}
	return err
}

// local is a file of the operator's; empty when there is none.
func (o *Options) local(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(o.Dir, name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read what belongs to the broker's users: %w", err)
	}
	return string(text), nil
}

// replace puts text in the place of a file, which is never half there.
func replace(path string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(0o640), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// hashOf hashes a password that a person may have chosen, as mosquitto reads it.
func hashOf(password string) (string, error) {
	const iterations = 20_000
	salt := make([]byte, 12)
	rand.Read(salt)
	sum, err := pbkdf2.Key(sha512.New, password, salt, iterations, sha512.Size)
	if err != nil {
		return "", fmt.Errorf("hash the broker's password: %w", err)
	}
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("$7$%d$%s$%s", iterations, b64(salt), b64(sum)), nil
}
