package people

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestPasswordHashes(t *testing.T) {
	h := hashPassword("mật khẩu của tôi")
	if !strings.HasPrefix(h, "$argon2id$v=19$m=19456,t=2,p=1$") || h == hashPassword("mật khẩu của tôi") {
		t.Errorf("%s", h)
	}
	for name, c := range map[string]struct {
		hash, password string
		ok, stale      bool
	}{
		"right":        {h, "mật khẩu của tôi", true, false},
		"decomposed":   {h, norm.NFD.String("mật khẩu của tôi"), true, false},
		"wrong":        {h, "mat khau cua toi", false, false},
		"empty":        {h, "", false, false},
		"no hash":      {"", "", false, false},
		"half a hash":  {h[:40], "mật khẩu của tôi", false, false},
		"another kind": {"$2y$10$abcdefghijklmnopqrstuu", "x", false, false},
	} {
		if ok, stale := checkPassword(c.hash, c.password); ok != c.ok || stale != c.stale {
			t.Errorf("%s: %v %v", name, ok, stale)
		}
	}
	was := cost
	cost = argonCost{memoryKiB: 64, passes: 1, lanes: 1}
	cheap := hashPassword("x")
	cost = was
	if ok, stale := checkPassword(cheap, "x"); !ok || !stale {
		t.Errorf("a cheaper hash: %v %v", ok, stale)
	}
}

func TestPasswordRules(t *testing.T) {
	a := Account{Name: "lan.nguyen", FullName: "Nguyễn Thị Hương Giang"}
	for password, ok := range map[string]bool{
		goodPassword: true, "correct horse battery": true, "7hKq2vXz9pLm": true, "ăn cơm chưa nhé": true,
		"": false, "ngắn quá mà": false, "elevenchars": false, strings.Repeat("dài quá ", 17): false,
		"password1234": false, "Password!2026": false, "123456789012": false, "matkhau12345": false, "MậtKhẩu2026!!": false, "1q2w3e4r5t6y": false,
		"qwertyuiop[]": false, "anhyeuem2026": false, "haidang@2026": false, "aaaaaaaaaaaa": false, "abcabcabcabc": false, "xyzwvxyzwvxyzwv": false,
		"nguyen2026!!": false, "huonggiang1234": false, "lan.nguyen.2026": false, "two\nlines of text": false,
		"huonggiang thích bơi lội buổi sáng": true,
	} {
		if err := checkRule(password, a); (err == nil) != ok {
			t.Errorf("%q: %v", password, err)
		}
	}
}
