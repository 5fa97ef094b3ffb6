package endure

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// program is haidang as its users run it: a process of its own.
type program struct {
	t      *testing.T
	binary string
	config string
	url    string
	log    *os.File
	cmd    *exec.Cmd
	done   chan struct{}
	worked bool // it was ready since its last start
}

// build compiles haidang without the race detector: it is to run as it would.
func build(t *testing.T, dir string) string {
	t.Helper()
	binary := filepath.Join(dir, "haidang")
	if out, err := exec.Command("go", "build", "-o", binary, "haidang/cmd/haidang").CombinedOutput(); err != nil {
		t.Fatalf("build haidang: %v\n%s", err, out)
	}
	return binary
}

func (p *program) start() {
	p.t.Helper()
	p.cmd = exec.Command(p.binary, "serve", "--config", p.config)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatalf("start haidang: %v", err)
	}
	done := make(chan struct{})
	go func(cmd *exec.Cmd) { cmd.Wait(); close(done) }(p.cmd)
	p.done, p.worked = done, false
}

// ready waits until it takes data, and says how long that took.
func (p *program) ready(most time.Duration) time.Duration {
	p.t.Helper()
	began, slow := time.Now(), 5*time.Second
	for time.Since(began) < most {
		ready, said := p.says()
		if ready {
			p.worked = true
			return time.Since(began)
		}
		if time.Since(began) > slow {
			slow *= 2
			p.t.Logf("%s not ready after %s: %s", time.Now().Format(time.TimeOnly), time.Since(began).Round(time.Second), said)
		}
		select {
		case <-p.done:
			// On a full disk it cannot start, says so, and is started again by
			// systemd; whatever else ends it is a fault.
			if last := p.tail(); p.worked || *full == 0 || !strings.Contains(last, "full") && !strings.Contains(last, "no space left") || strings.Contains(last, "panic:") {
				p.t.Fatalf("haidang ended:\n%s", last)
			}
			time.Sleep(time.Second)
			p.start()
		case <-time.After(20 * time.Millisecond):
		}
	}
	p.t.Fatalf("haidang is not ready after %s:\n%s", most, p.autopsy())
	return 0
}

// says is what it answers when asked whether it is ready.
func (p *program) says() (ready bool, words string) {
	res, err := http.Get(p.url + "/readyz")
	if err != nil {
		return false, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return false, err.Error()
	}
	return res.StatusCode == http.StatusOK, string(b)
}

// figures are its metrics whose names begin so.
func (p *program) figures(prefix string) string {
	rq, err := http.NewRequest("GET", p.url+"/metrics", nil)
	if err != nil {
		return err.Error()
	}
	rq.Header.Set("Authorization", "Bearer x") // as in its configuration
	res, err := http.DefaultClient.Do(rq)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	var own []string
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, prefix) && !strings.Contains(line, "_bucket") {
			own = append(own, line)
		}
	}
	return strings.Join(own, "")
}

// autopsy is what it says of itself, and where each of its goroutines stands.
func (p *program) autopsy() string {
	_, said := p.says()
	p.cmd.Process.Signal(syscall.SIGQUIT)
	<-p.done
	b, err := os.ReadFile(p.log.Name())
	if err != nil {
		return err.Error()
	}
	return said + "\n" + string(b[max(0, len(b)-300_000):])
}

func (p *program) end(sig syscall.Signal) {
	select {
	case <-p.done:
		if p.worked { // a full disk, too, must be survived
			p.t.Errorf("haidang had ended by itself:\n%s", p.tail())
		}
	default:
	}
	p.cmd.Process.Signal(sig)
	<-p.done
	p.worked = false
}

func (p *program) tail() string {
	b, err := os.ReadFile(p.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-3000):])
}

func writeFile(t *testing.T, path, format string, args ...any) string {
	t.Helper()
	if err := os.WriteFile(path, fmt.Appendf(nil, format, args...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
