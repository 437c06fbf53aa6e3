/* One row, and everybody who may touch it on the copy. README.md says how to
   read this; pkg/fix/round.go is what it models. */

/* The authority's versions of the row. 2 and 4 hold the same values: a row that
   is deleted and inserted again may look as if nothing had happened. */
#define LAST 4
#define ABSENT 7
#define JUNK 8
#define VALUES(v) ((v == 0 || v == 3) -> ABSENT : (v == 4 -> 2 : v))

#ifndef ROUNDS
#define ROUNDS 2   /* fix.Config.MaxRounds */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif

byte authority;        /* the version committed there */
byte copy;             /* the values committed here, ABSENT or JUNK */
byte age;              /* the version they come from, while they are not JUNK */
byte lock;             /* who holds the row, or the key of an uncommitted insert */
byte applied;          /* the last version that was brought to the copy */
byte writing;          /* applications that will write again */
byte crashes = CRASHES;
byte again = 1;        /* messages that come once more although they were done */

/* Two messages about the row, a fixer for each; which of them works on which is
   of no account, and one that works on both does so in one of the orders seen
   here. Their order says nothing, as they carry the key alone. With OVERLAP
   both work on the first: a rebalance that does not wait for a slow fixer. */
#ifdef OVERLAP
#define MESSAGE 0
#else
#define MESSAGE (me - 1)
#endif
bool published[2];
bool marked[2];        /* the consumer group's offset is past it */
bool told[2];          /* its outcome is durable */
bool works[3];         /* the fixer has a message in hand */
#define IDLE (!works[1] && !works[2])

/* The properties, named as spin will print them. */
bool never_older = true;         /* no repair writes an older version over a newer one */
bool every_outcome_told = true;  /* at the end: no finding is forgotten */
bool stays_deleted = true;       /* at the end: no row came back from the dead */
bool agreement = true;           /* at the end */

/* How many rounds end a repair: an insert is never among them. */
#ifdef BOUNDED_INSERTS
#define BOUND
#else
#define BOUND && !inserts
#endif

#define WRITER 3
#define STRANGER 5

inline land(v) { copy = VALUES(v); age = v }

/* Somebody who reads for update and changes nothing. */
proctype Stranger() {
end:
  atomic { copy != ABSENT && lock == 0 -> lock = STRANGER }
  lock = 0
}

#ifndef DUAL
/* The application writes to the authority; a replicator brings each version
   after its commit, in order. */
proctype Application() {
  do
  :: authority < LAST -> authority++
  :: break
  od;
  writing--
}

proctype Replicator() {
end:
  do
  :: atomic { applied < authority && lock == 0 -> lock = WRITER };
     atomic { applied++; land(applied); lock = 0 }
  /* A delete or an update that sees no row changes none, and in PostgreSQL
     does not wait for one whose insert is not committed. */
  :: atomic { applied < authority && copy == ABSENT &&
              (VALUES(applied + 1) == ABSENT || VALUES(applied) != ABSENT) -> applied++ }
  od
}
#define CAUGHTUP (writing == 0 && applied == authority)
#else
/* Two applications that write to both sides. */
bool row;              /* the authority's row is held by a transaction */
proctype Application() {
  byte mine; bool held;
  do
  :: atomic { !row && authority < LAST -> row = true; mine = authority + 1; held = false };
#if DUAL == 1
     /* Commit at the authority, then write to the copy: two of them may come
        to the copy in the wrong order. */
     authority = mine; row = false;
     if
     :: atomic { lock == 0 -> land(mine) }
     :: atomic { copy == ABSENT && VALUES(mine) == ABSENT -> skip }
     :: skip           /* it dies before it writes to the copy */
     fi
#else
     /* Write to both, commit the authority, commit the copy. */
     if
     :: atomic { lock == 0 -> lock = WRITER + _pid; held = true }
     :: atomic { copy == ABSENT && VALUES(mine) == ABSENT -> skip }
     fi;
     authority = mine; row = false;
     if
     :: atomic { held -> land(mine); lock = 0; held = false }
     :: atomic { held -> lock = 0; held = false }  /* it dies in between */
     :: !held
     fi
#endif
  :: break
  od;
  writing--
}
#define CAUGHTUP (writing == 0)
#endif

/* The validator publishes what it saw. Its findings are in the topic from the
   start: whenever a fixer takes one, what the validator saw may be long past.
   With LASTPASS the second is found only after all writers are done. */
#ifdef LASTPASS
#define LOOKEDAGAIN published[1]
proctype Validator() {
  atomic { CAUGHTUP && lock == 0 && IDLE && marked[0] -> published[1] = true }
}
#else
#define LOOKEDAGAIN true
#endif

/* A fixer may die at any point; the server then undoes its transaction. */
#define MAYDIE if :: crashes > 0 -> crashes--; goto died :: skip fi

proctype Fixer(byte me) {
  byte version, seen, moved;
  bool held, inserts;

idle:
  atomic { version = 0; seen = 0; moved = 0; held = false; inserts = false };
end:
  atomic {
    if
    :: published[MESSAGE] && !marked[MESSAGE]
    :: marked[MESSAGE] && again > 0 -> again--; marked[MESSAGE] = false
    fi;
    works[me] = true
#ifdef MARK_FIRST
    ; marked[MESSAGE] = true
#endif
  };

round:
#ifdef READ_FIRST
  version = authority;
#endif
  atomic {
    MAYDIE;
#ifdef NO_LOCK
    seen = copy
#else
    if
    :: copy == ABSENT -> seen = ABSENT
    :: copy != ABSENT && lock == 0 -> lock = me; seen = copy; held = true
#ifdef LOCKED_IS_ABSENT
    :: copy != ABSENT && lock != 0 -> seen = ABSENT
#endif
    fi
#endif
  };
  atomic {
    MAYDIE;
#ifndef READ_FIRST
    version = authority;
#endif
    if
    :: VALUES(version) == seen ->
       if :: held -> lock = 0; held = false :: else fi;
       goto settled
    :: else
    fi
  };
  if
  :: seen == ABSENT ->
     atomic {
       MAYDIE;
       lock == 0 ->    /* what another one inserts is waited for */
       if
       :: copy == ABSENT -> lock = me; held = true; inserts = true
       :: copy != ABSENT -> version = 0; goto round /* duplicate key */
       fi
     }
  :: else
  fi;
  atomic {
    MAYDIE;
    never_older = (inserts || copy == ABSENT || copy == JUNK || version >= age);
    assert(never_older);
    land(version);
    seen = 0;
    if :: held -> lock = 0; held = false :: else fi
  };
#ifndef NO_REREAD
  atomic {
    MAYDIE;
    if
    :: VALUES(authority) == VALUES(version)
    :: else ->
       moved = (moved < ROUNDS -> moved + 1 : moved);
       if
       :: moved >= ROUNDS BOUND
       :: else -> inserts = false; version = 0; goto round
       fi
    fi
  };
#endif

settled:
  atomic {
    version = 0; seen = 0; moved = 0; inserts = false;
#ifdef MARK_BEFORE_OUTCOME
    marked[MESSAGE] = true
#else
    told[MESSAGE] = true
#endif
  };
  atomic {
    MAYDIE;
    marked[MESSAGE] = true; told[MESSAGE] = true;
    works[me] = false; goto idle
  };

died:
  atomic {
    if :: lock == me -> lock = 0 :: else fi;
    works[me] = false; goto idle
  }
}

init {
  atomic {
    do
    :: authority < LAST -> authority++
    :: break
    od;
    applied = authority; published[0] = true;
    if
    :: land(authority)
    :: copy = JUNK
    :: copy = ABSENT
    fi;
    run Fixer(1); run Fixer(2); run Stranger();
#ifdef DUAL
    writing = 2; run Application(); run Application()
#else
    writing = 1; run Application(); run Replicator()
#endif
#ifdef LASTPASS
    ; run Validator()
#else
#ifndef OVERLAP
    ; published[1] = true
#endif
#endif
  };
  CAUGHTUP && marked[0] && (marked[1] || !published[1]) && IDLE && lock == 0 && LOOKEDAGAIN;
  every_outcome_told = told[0] && (told[1] || !published[1]);
  assert(every_outcome_told);
  stays_deleted = !(VALUES(authority) == ABSENT && copy != ABSENT);
  assert(stays_deleted);
  agreement = (copy == VALUES(authority));
  assert(agreement)
}
