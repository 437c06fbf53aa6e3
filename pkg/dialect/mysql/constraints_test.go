package mysql

import "testing"

func TestAPrivilegeOnTheDatabaseShowsAllOfItsTables(t *testing.T) {
	for line, want := range map[string]bool{
		"GRANT USAGE ON *.* TO `u`@`%`":                                     false,
		"GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*0 ON *.* '": false,
		"GRANT SELECT ON `shop`.`orders` TO `u`@`%`":                        false,
		"GRANT SELECT (`id`) ON `shop`.`orders` TO `u`@`%`":                 false,
		"GRANT SELECT ON `other`.* TO `u`@`%`":                              false,
		"GRANT `role`@`%` TO `u`@`%`":                                       false,
		"GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION":     false,
		"GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT":      true,
		"GRANT SELECT, INSERT, DELETE ON `shop`.* TO `u`@`%`":               true,
		"GRANT SELECT ON `sh%`.* TO `u`@`%`":                                true,
		"GRANT SELECT ON `sho_`.* TO `u`@`%`":                               true,
		"GRANT SELECT ON `sh\\_p`.* TO `u`@`%`":                             false,
		"GRANT SELECT ON `s.*`.* TO `u`@`%`":                                false,
	} {
		if got := seesDatabase("shop", [][]*string{{&line}}); got != want {
			t.Errorf("%s: sees the database %t, want %t", line, got, want)
		}
	}
	if line := "GRANT SELECT ON `a``b\\_c`.* TO `u`@`%`"; !seesDatabase("a`b_c", [][]*string{{&line}}) {
		t.Error("a name with a quote and an escaped character is not known")
	}
}

func TestDefaultsAreSpelledAlikeByBothServers(t *testing.T) {
	for _, c := range []struct {
		mariadb            bool
		value, base, extra string
		want               string
	}{
		{true, "'a'", "varchar", "", "'a'"},
		{true, "NULL", "varchar", "", ""},
		{true, "'NULL'", "varchar", "", "'NULL'"},
		{true, "current_timestamp(6)", "datetime", "", "current_timestamp(6)"},
		{false, "a", "varchar", "", "'a'"},
		{false, "it's \\", "varchar", "", `'it''s \\'`},
		{false, "NULL", "varchar", "", "'NULL'"},
		{false, "", "varchar", "", "''"},
		{false, "b'101'", "bit", "", "b'101'"},
		{false, "CURRENT_TIMESTAMP(3)", "datetime", "default_generated", "CURRENT_TIMESTAMP(3)"},
		{false, "uuid()", "char", "default_generated", "uuid()"},
	} {
		if got := (Dialect{mariadb: c.mariadb}).defaultOf(&c.value, c.base, c.extra); got != c.want {
			t.Errorf("%s %s (%s): %s, want %s", c.base, c.value, c.extra, got, c.want)
		}
	}
}
