package mysql

import (
	"errors"

	"github.com/go-sql-driver/mysql"

	"github.com/trueup/trueup/pkg/dialect"
)

// classes are the meanings of server error numbers (MySQL "Server Error Message
// Reference", MariaDB "MariaDB Error Code Reference"; numbers from 1900 to 1999
// and above 4000 are MariaDB's, but for 4031, by which MySQL ends idle connections).
var classes = map[dialect.Class][]uint16{
	dialect.ClassTransient: {
		1021, 1037, // disk full, out of memory
		1040, 1203, 1226, // too many connections
		1041, 1042, 1043, // resources, handshake
		1047,                   // Galera: the node is not ready
		1053, 1077, 1079, 1152, // shutting down
		1158, 1159, 1160, 1161, 1184, // network
		1129,                   // host blocked after connection errors
		1290, 1792, 1836, 1874, // read-only server
		1317, 1927, 1969, 3024, 4031, // killed, or past a time limit
		1180, 1637, 3169, // commit and log trouble
	},
	dialect.ClassContention: {
		1020, // changed since read (MariaDB snapshot isolation)
		1205, 1213, 3572, 3058,
		1206,       // lock table full
		1412, 1615, // the table was altered meanwhile
		3100, 3101, // group replication certification
	},
	dialect.ClassDuplicate: {1022, 1062, 1169, 1557, 1586, 1761, 1762},
	dialect.ClassRow: {
		1048, 1263, 1364, // NULL, no default
		1264, 1265, 1292, 1366, 1367, 1406, 1411, 1441, 1690, 3140, 1300, // values
		1525, 1526, 1748, // partitions
		1644,       // SIGNAL in a trigger
		3819, 4025, // CHECK
		1118, // row too long
	},
	dialect.ClassReference: {1216, 1217, 1451, 1452},
	dialect.ClassDenied: {
		1044, 1045, 1130, 1131, 1132, 1142, 1143, 1227, 1370, 1410, 1698,
		1820, 1862, 3118, 3159, 3879, 4151,
	},
	dialect.ClassSchema: {
		1049, 1051, 1054, 1109, 1136, 1146, 1176, 1305, 1356, 1471, 1906, 3105, 1347, 1348,
	},
	dialect.ClassLimit: {1038, 1104, 1153, 1162, 1260, 1301, 1390, 1436},
}

var classOf = invert(classes)

func invert(classes map[dialect.Class][]uint16) map[uint16]dialect.Class {
	out := map[uint16]dialect.Class{}
	for class, numbers := range classes {
		for _, n := range numbers {
			out[n] = class
		}
	}
	return out
}

// Classify implements dialect.Dialect.
func (Dialect) Classify(err error) dialect.Class {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return classOf[e.Number] // unknown when it is not there
	}
	switch {
	case errors.Is(err, mysql.ErrPktTooLarge):
		return dialect.ClassLimit
	case errors.Is(err, mysql.ErrInvalidConn), dialect.ConnectionLost(err):
		return dialect.ClassTransient
	default:
		return dialect.ClassUnknown
	}
}
