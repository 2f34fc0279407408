-- yoyo writes to its log and its lock table.
-- expect: nothing
INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, now(), 4711);
DELETE FROM yoyo_lock;
DELETE FROM _yoyo_log;
