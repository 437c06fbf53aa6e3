/* Two rows, a and b, of a table in which no two rows may have the same value.
   README.md says how to read this; pkg/fix is what it models. */

/* The authority's history, a transaction a version: a swap, a delete, a move
   into the freed value, an insert of the value that was left. 0 is a row that is
   absent: (1,2) (2,1) (0,1) (0,2) (1,2). */
#define LAST 4
#ifdef BACK_AND_FORTH  /* (1,2) (3,2) (1,2) (3,2) (3,1) */
#define A(v) (v == 0 || v == 2 -> 1 : 3)
#define B(v) (v == 4 -> 1 : 2)
#else
#define A(v) (v == 1 -> 2 : ((v == 2 || v == 3) -> 0 : 1))
#define B(v) ((v == 1 || v == 2) -> 1 : 2)
#endif

#define VALUE(k, v) (k == 0 -> A(v) : B(v))
#define OTHER(k) (1 - k)
#define UNKNOWN 9

#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef CRASHES
#define CRASHES 1
#endif

byte authority;
byte copy[2];
byte age[2];        /* the version a row comes from; UNKNOWN for a damaged one */
byte lock[2];       /* the fixer that holds the row */
byte applied;
bool quiet;         /* the application has ended */
byte crashes = CRASHES;
/* A finding for each row, and a fixer for each finding; which of them works on
   which is of no account. */
bool published[2], taken[2], marked[2];

/* The properties, named as spin will print them. */
bool never_older = true;         /* no repair writes an older version over a newer one */
bool replicator_goes_on = true;  /* at the end: no unique value stops it for ever */
bool stays_deleted = true;       /* at the end: no row came back from the dead */
bool agreement = true;           /* at the end: also, no row was lost */

proctype Application() {
  do
  :: authority < LAST -> authority++
  :: break
  od;
  quiet = true
}

inline put(k, v) { copy[k] = VALUE(k, v); age[k] = v }
#define CHANGED(k) (VALUE(k, applied) != VALUE(k, applied + 1))
#define FREE(k) (lock[k] == 0 || copy[k] == 0)
#define BLOCKED(k) (CHANGED(k) && !CHANGED(OTHER(k)) && \
  VALUE(k, applied + 1) != 0 && VALUE(k, applied + 1) == copy[OTHER(k)])

#ifdef STOPS_AT_DUPLICATES
#define REPLACES false
#else
#define REPLACES true
#endif

/* Brings one transaction after the other. A fixer that is ahead of it may have
   given a value to another row already. It then removes that row, whose own
   version is still to come. */
proctype Replicator() {
end:
  do
  :: atomic {
       applied < authority &&
       (!CHANGED(0) || FREE(0)) && (!CHANGED(1) || FREE(1)) &&
       (!BLOCKED(0) || (REPLACES && FREE(1))) && (!BLOCKED(1) || (REPLACES && FREE(0))) ->
       if :: BLOCKED(0) -> copy[1] = 0; age[1] = applied :: else fi;
       if :: BLOCKED(1) -> copy[0] = 0; age[0] = applied :: else fi;
       if
       :: CHANGED(0) && CHANGED(1) -> put(0, applied + 1); put(1, applied + 1)
       :: CHANGED(0) && !CHANGED(1) -> put(0, applied + 1)
       :: !CHANGED(0) && CHANGED(1) -> put(1, applied + 1)
       fi;
       applied++
     }
  od
}
#define MAYDIE if :: crashes > 0 -> crashes--; goto died :: skip fi
#define ROW (me - 1)
#define MINE(k) (lock[k] == me)

inline free() {
  if :: MINE(0) -> lock[0] = 0 :: else fi;
  if :: MINE(1) -> lock[1] = 0 :: else fi
}

/* take locks row k if it is in the set, and notes what it saw. */
inline take(k) {
  if
  :: !in[k]
  :: in[k] && copy[k] == 0 -> seen[k] = 0
  :: in[k] && copy[k] != 0 && lock[k] == 0 -> lock[k] = me; seen[k] = copy[k]
  :: in[k] && copy[k] != 0 && lock[k] != 0 -> free(); goto round /* never waits with a lock in hand */
  fi
}

#define WRITES(k) (in[k] && VALUE(k, version) != seen[k])
#define AFTER(k) (WRITES(k) -> VALUE(k, version) : copy[k])
#define MOVED(k) (wrote[k] && VALUE(k, version) != VALUE(k, authority))

proctype Fixer(byte me) {
  byte version, moved, seen[2];
  bool in[2], wrote[2], inserts;

idle:
  atomic {
    version = 0; moved = 0; inserts = false;
    seen[0] = 0; seen[1] = 0; in[0] = false; in[1] = false; wrote[0] = false; wrote[1] = false
  };
end:
  atomic {
    published[ROW] && !marked[ROW];
    taken[ROW] = true; in[ROW] = true
  };

round:
  atomic { version = 0; wrote[0] = false; wrote[1] = false; inserts = false;
           (!in[0] || FREE(0)) && (!in[1] || FREE(1)) -> take(0) };
  atomic { MAYDIE; take(1) };
  atomic {
    MAYDIE;
    version = authority;                  /* both rows in one statement */
    if
    :: !WRITES(0) && !WRITES(1) -> free(); goto settled
    :: else
    fi
  };
  /* Write and commit. */
  atomic {
    MAYDIE;
    if
    :: (WRITES(0) && seen[0] == 0 && copy[0] != 0) || (WRITES(1) && seen[1] == 0 && copy[1] != 0) ->
       free(); goto round                 /* somebody inserted the row */
    :: else
    fi;
    if
    :: AFTER(0) != 0 && AFTER(0) == AFTER(1) ->
#ifdef OVERWRITE
       /* INSERT … ON DUPLICATE KEY UPDATE */
       lock[OTHER(ROW)] == 0 || MINE(OTHER(ROW));
       copy[OTHER(ROW)] = 0; age[OTHER(ROW)] = UNKNOWN
#else
#ifdef BLOCKER_UNLOCKED
       /* The row in the way is written too, without having been locked and read again. */
       in[OTHER(ROW)] = true; seen[OTHER(ROW)] = copy[OTHER(ROW)]
#else
       /* The row in the way joins, and all starts over. */
       in[0] = true; in[1] = true; free(); goto round
#endif
#endif
    :: else
    fi;
    wrote[0] = WRITES(0); wrote[1] = WRITES(1);
    inserts = (wrote[0] && seen[0] == 0) || (wrote[1] && seen[1] == 0);
    never_older = (!wrote[0] || copy[0] == 0 || age[0] == UNKNOWN || version >= age[0]) &&
                  (!wrote[1] || copy[1] == 0 || age[1] == UNKNOWN || version >= age[1]);
    assert(never_older);
    if :: wrote[0] -> put(0, version) :: else fi;
    if :: wrote[1] -> put(1, version) :: else fi;
    seen[0] = 0; seen[1] = 0;
    free()
  };
#ifndef NO_REREAD
  atomic {
    MAYDIE;
    if
    :: !MOVED(0) && !MOVED(1)
    :: else ->
       moved = (moved < ROUNDS -> moved + 1 : moved);
       if
       :: moved >= ROUNDS && !inserts
       :: else -> goto round
       fi
    fi
  };
#endif

settled:
  atomic { MAYDIE; marked[ROW] = true; taken[ROW] = false; goto idle };

died:
  atomic { free(); taken[ROW] = false; goto idle }
}

#define DONE(k) (!taken[k] && lock[k] == 0 && (marked[k] || !published[k]))

init {
  atomic {
    do
    :: authority < LAST -> authority++
    :: break
    od;
    applied = authority;
    put(0, authority); put(1, authority);
    /* Any damage that a unique value allows; every damaged row has a finding,
       and one that is not may have one. */
    if
    :: if :: copy[0] = 0 :: copy[0] = 1 :: copy[0] = 2 :: copy[0] = 3 fi;
       if
       :: copy[1] = 0
       :: copy[0] != 1 -> copy[1] = 1
       :: copy[0] != 2 -> copy[1] = 2
       :: copy[0] != 3 -> copy[1] = 3
       fi
    :: skip
    fi;
    if
    :: copy[0] != A(authority) -> published[0] = true; age[0] = UNKNOWN
    :: copy[0] == A(authority) -> if :: published[0] = true :: skip fi
    fi;
    if
    :: copy[1] != B(authority) -> published[1] = true; age[1] = UNKNOWN
    :: copy[1] == B(authority) -> if :: published[1] = true :: skip fi
    fi;
    run Fixer(1); run Fixer(2); run Application(); run Replicator()
  };
  quiet && DONE(0) && DONE(1) && (applied == authority || (BLOCKED(0) || BLOCKED(1)) && !REPLACES);
  replicator_goes_on = (applied == authority);
  assert(replicator_goes_on);
  stays_deleted = !(A(authority) == 0 && copy[0] != 0);
  assert(stays_deleted);
  agreement = (copy[0] == A(authority) && copy[1] == B(authority));
  assert(agreement)
}
