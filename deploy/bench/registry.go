package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// The registry of a province and of its neighbours: so many devices, of which
// so many have spoken.
const (
	registered = 100_000
	haveSpoken = 20_000
	asked      = 300 // times each, after a warm-up
)

// registryAsks are the lists of a console, as it asks for them.
var registryAsks = []struct {
	name string
	// page is what is asked for; n is another each time.
	page func(n int) string // after /api/v1/
}{
	{"list", func(n int) string { return fmt.Sprintf("devices?limit=100&cursor=bench-%06d", n*331%registered) }},
	{"search", func(n int) string { return fmt.Sprintf("devices?limit=100&q=tram+so+%d", n%1000) }},
	{"area", func(n int) string {
		return "devices?limit=100&area=" + []string{"dong-hoi", "le-thuy", "bo-trach"}[n%3]
	}},
	{"state", func(n int) string { return "devices?limit=100&state=" + []string{"live", "silent", "never"}[n%3] }},
	{"area+state", func(n int) string { return "devices?limit=100&area=dong-hoi&state=live&sort=name" }},
	{"last seen", func(n int) string { return "devices?limit=100&sort=last_seen" }},
	{"1,000", func(n int) string { return "devices?limit=1000" }},
	{"health by vendor", func(n int) string { return "health?by=vendor" }},
	{"health, worst", func(n int) string { return "health/devices?limit=100" }},
}

func (b *bench) registries() []measure {
	figures := []string{"import s", "start s", "RSS MiB"}
	for _, a := range registryAsks {
		figures = append(figures, a.name+" p50 ms", a.name+" p99 ms")
	}
	figures = append(figures, "edit+list p99 ms")
	return []measure{{"registry", fmt.Sprintf("%d devices in the registry, imported from one CSV, of which %d have spoken; %d calls each over HTTP", registered, haveSpoken, asked),
		figures, "", []contender{{killedServe, []string{haidang}, b.registry}}}}
}

// registry fills a program by import, stops it, starts it again and asks.
func (b *bench) registry(ctx context.Context, dir string) (map[string]float64, error) {
	s, _, err := startInside(ctx, b, dir)
	if s != nil {
		defer s.stop()
	}
	if err != nil {
		return nil, err
	}
	figures := map[string]float64{}
	begin := time.Now()
	if err := importTable(s.http); err != nil {
		return nil, err
	}
	figures["import s"] = time.Since(begin).Seconds()
	l := load{address: s.mqtt, publishers: 50, devices: haveSpoken, window: 20, prefix: "bench"}
	if err := l.publish(ctx, haveSpoken); err != nil {
		return nil, err
	}
	if err := s.until(ctx, haveSpoken, time.Minute); err != nil {
		return nil, err
	}
	s.halt()
	begin = time.Now()
	if err := s.consume(); err != nil {
		return nil, err
	}
	err = s.answers(ctx, func() error {
		n, err := total(s.http + "/api/v1/devices?limit=1")
		if err == nil && n != registered {
			err = fmt.Errorf("%d devices, not %d", n, registered)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	figures["start s"] = time.Since(begin).Seconds()
	for _, a := range registryAsks {
		took, err := ask(ctx, func(n int) error {
			_, err := total(s.http + "/api/v1/" + a.page(n))
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.name, err)
		}
		figures[a.name+" p50 ms"], figures[a.name+" p99 ms"] = quantile(took, 0.5), quantile(took, 0.99)
	}
	// A list right after a change: what is worked out for lists is made anew.
	took, err := ask(ctx, func(n int) error {
		if err := rename(s.http, fmt.Sprintf("bench-%06d", rand.IntN(registered)), n); err != nil {
			return err
		}
		_, err := total(s.http + "/api/v1/devices?limit=100&area=dong-hoi")
		return err
	})
	if err != nil {
		return nil, err
	}
	figures["edit+list p99 ms"] = quantile(took, 0.99)
	figures["RSS MiB"] = s.rss()
	return figures, nil
}

// ask calls fn until it is warm and then times it.
func ask(ctx context.Context, fn func(n int) error) ([]float64, error) {
	var took []float64
	for n := range warmQuestions + asked {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		begin := time.Now()
		if err := fn(n); err != nil {
			return nil, err
		}
		if n >= warmQuestions {
			took = append(took, sinceMs(begin))
		}
	}
	slices.Sort(took)
	return took, nil
}

// total is how many devices a list says there are.
func total(page string) (int, error) {
	body, err := get(page)
	if err != nil {
		return 0, err
	}
	var answer struct {
		Items []json.RawMessage
		Total int
	}
	err = json.Unmarshal(body, &answer)
	return answer.Total, err
}

// importTable sends the devices as one table.
func importTable(base string) error {
	var table bytes.Buffer
	table.WriteString("id,type,name,area,lat,lon,agency,vendor,network,cohort,serial,model,firmware,installed_at,labels,notes\n")
	types := []string{"air_station", "water_level", "traffic_camera", "rain_gauge", "generic"}
	areas := []string{"dong-hoi", "ba-don", "quang-trach", "tuyen-hoa", "minh-hoa", "bo-trach", "quang-ninh", "le-thuy"}
	for i := range registered {
		fmt.Fprintf(&table, "bench-%06d,%s,Trạm số %d đường Quang Trung,%s,17.%04d,106.%04d,so-nnmt,Hãng %d,4G,đợt %d,SN-%08d,M-%d,1.%d.0,2026-%02d-%02d,ven đường,Chìa khóa ở UBND phường\n",
			i, types[i%len(types)], i, areas[i/7%len(areas)], i%10000, i%9999, i%12, i%40, i, i%30, i%9, 1+i%12, 1+i%28)
	}
	resp, err := signedInPost(base+"/api/v1/devices/import", "text/csv", &table)
	if err != nil {
		return err
	}
	var answer struct {
		State   string
		Created int
	}
	if err := json.Unmarshal(resp, &answer); err != nil {
		return err
	}
	if answer.State != "done" || answer.Created != registered {
		return fmt.Errorf("the import ended as %+v", answer)
	}
	return nil
}

// rename gives a device another name.
func rename(base, id string, n int) error {
	req, err := http.NewRequest(http.MethodPatch, base+"/api/v1/devices/"+id, bytes.NewReader(fmt.Appendf(nil, `{"name":"Trạm %d"}`, n)))
	if err != nil {
		return err
	}
	req.Header = signedIn.Clone()
	req.Header.Set("If-Match", "*")
	_, err = answered(req)
	return err
}

func signedInPost(page, kind string, body io.Reader) ([]byte, error) {
	req, err := http.NewRequest(http.MethodPost, page, body)
	if err != nil {
		return nil, err
	}
	req.Header = signedIn.Clone()
	req.Header.Set("Content-Type", kind)
	return answered(req)
}

// answered is the body of an answer that says it went well.
func answered(req *http.Request) ([]byte, error) {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s answers %s: %.300s", req.URL, resp.Status, body)
	}
	return body, err
}
