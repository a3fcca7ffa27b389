use std::any::Any;
use std::error::Error;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use store::{Projection, ProjectionError, Write};

use crate::session::{Session, sync_directory};

/// Rows begin with bytes from 0x10 on.
const MARK: &[u8] = &[0];

/// How often sled cleans its file up, for at most half of the time, and flushes. It does so on its own thread only; once
/// for each of our checkpoints is enough, and oftener would sync oftener.
const FLUSH_EVERY_MS: u64 = 1000;

/// sled lets go of its lock when the last of its threads ends, which may be after it was dropped. Nobody else can have it:
/// the folder has a lock of ours. So it is waited for, two seconds at most, before anything is taken for broken.
const LOCK_TRIES: u32 = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// How much memory sled takes.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// For its page cache, by sled's own reckoning; what it really takes may be double.
    pub cache_bytes: u64,
}

impl Default for Options {
    /// 64 MiB: twice the rows of some seconds at full rate, which are the ones that are read again.
    fn default() -> Self {
        Self { cache_bytes: 64 << 20 }
    }
}

/// What was found in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// Nothing: this is the first start.
    New,
    /// A database that can be trusted.
    Kept,
    /// A database that was thrown away, and why.
    Discarded(String),
}

/// What the next start will find in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing: the state will be made from the journal.
    Nothing,
    /// A database that can be trusted.
    Trusted,
    /// A database that cannot: the state will be made anew from the journal.
    Untrusted,
}

/// Looks at what the last process left behind. Changes nothing, and does not open the database.
///
/// # Errors
/// If the disk fails.
pub fn look(directory: &Path) -> io::Result<Left> {
    if !directory.join("sled").try_exists()? {
        return Ok(Left::Nothing);
    }
    Ok(if Session::new(directory)?.is_trusted()? { Left::Trusted } else { Left::Untrusted })
}

/// Why the projection could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be used.
    #[error("cannot use the state database's directory `{directory}`")]
    Directory {
        /// Which.
        directory: PathBuf,
        /// What the disk said.
        #[source]
        cause: io::Error,
    },
    /// Another process has it. Nothing has been touched.
    #[error("the state database in `{directory}` is in use by another process; stop that one first")]
    InUse {
        /// Where.
        directory: PathBuf,
    },
    /// sled does not even open an empty directory.
    #[error("cannot open a new state database in `{directory}`")]
    Sled {
        /// Where.
        directory: PathBuf,
        /// What sled said.
        #[source]
        cause: SledFault,
    },
}

/// What sled said.
#[derive(Debug, thiserror::Error)]
pub enum SledFault {
    /// With an error.
    #[error(transparent)]
    Error(#[from] sled::Error),
    /// With a panic.
    #[error("sled panicked: {0}")]
    Panic(String),
    /// Its file could not be synced.
    #[error("its file could not be synced")]
    Sync(#[source] io::Error),
    /// It has been closed.
    #[error("the state database has been closed")]
    Closed,
}

/// A [`Projection`] on sled. All rows lie in one tree: sled's log keeps their order then, so that after a crash of the
/// process the writes that are missing are the last ones. They are written one by one, because a batch of sled's loses
/// the order of its keys and stops all readers meanwhile.
pub struct SledProjection {
    /// None once it is closed.
    database: RwLock<Option<sled::Db>>,
    /// sled's own file: its `flush` is no barrier against a loss of power, so that we sync it ourselves.
    file: File,
    session: Session,
    operations: AtomicU64,
    /// Locked for as long as this lives: a database that another process writes must not be taken for a broken one.
    _lock: File,
}

impl SledProjection {
    /// Opens the database in `directory`, which is made if it is not there. A database that was written before the machine
    /// went down without a clean end is thrown away, as is one that sled cannot open: the store makes it anew from the
    /// journal.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn open(directory: &Path, options: Options) -> Result<(Self, Opened), OpenError> {
        let broken = |cause| OpenError::Directory { directory: directory.to_owned(), cause };
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(broken)?;
        let lock = File::open(directory).map_err(broken)?;
        if let Err(cause) = rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            return Err(match cause {
                Errno::WOULDBLOCK => OpenError::InUse { directory: directory.to_owned() },
                cause => broken(cause.into()),
            });
        }
        let session = Session::new(directory).map_err(broken)?;
        let home = directory.join("sled");
        let mut opened = Opened::New;
        if home.exists() {
            opened = Opened::Kept;
            if !session.is_trusted().map_err(broken)? {
                let reason = "the machine went down while it was being written, or it could not be written";
                opened = Opened::Discarded(reason.to_owned());
                fs::remove_dir_all(&home).map_err(broken)?;
            }
        }
        if opened == Opened::Kept {
            remove_unfinished_snapshots(&home).map_err(broken)?;
        }
        session.begin().map_err(broken)?;
        let database = match open_sled(&home, options) {
            Ok(database) => database,
            Err(cause) if opened == Opened::Kept => {
                tracing::error!(error = &cause as &dyn Error, "the state database is broken");
                opened = Opened::Discarded(cause.to_string());
                fs::remove_dir_all(&home).map_err(broken)?;
                open_sled(&home, options).map_err(|cause| OpenError::Sled { directory: home.clone(), cause })?
            }
            Err(cause) => return Err(OpenError::Sled { directory: home, cause }),
        };
        // Opened before the first write, so that an error of writing back reaches this descriptor.
        let file = File::open(home.join("db")).map_err(broken)?;
        sync_directory(&home).and_then(|()| sync_directory(directory)).map_err(broken)?;
        let database = RwLock::new(Some(database));
        Ok((Self { database, file, session, operations: AtomicU64::new(0), _lock: lock }, opened))
    }

    /// Runs `work` on the database; its panic is an error.
    fn with<T>(&self, work: impl FnOnce(&sled::Db) -> Result<T, SledFault>) -> Result<T, SledFault> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or(SledFault::Closed)?;
        guarded(|| work(database))
    }

    fn read<T>(&self, work: impl FnOnce(&sled::Db) -> Result<T, SledFault>) -> Result<T, ProjectionError> {
        self.with(work).map_err(failed)
    }

    /// The same for writing: what failed once is not trusted by the next start.
    fn write<T>(&self, work: impl FnOnce(&sled::Db) -> Result<T, SledFault>) -> Result<T, ProjectionError> {
        self.with(work).map_err(|cause| {
            if !matches!(cause, SledFault::Closed)
                && let Err(cause) = self.session.distrust()
            {
                tracing::error!(error = &cause as &dyn Error, "cannot note that the state database is broken");
            }
            failed(cause)
        })
    }

    fn sync(&self) -> Result<(), SledFault> {
        rustix::fs::fdatasync(&self.file).map_err(|cause| SledFault::Sync(cause.into()))
    }
}

impl Projection for SledProjection {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, ProjectionError> {
        self.read(|database| Ok(database.get(key)?.map(|value| Bytes::copy_from_slice(&value))))
    }

    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        backward: bool,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, ProjectionError> {
        let copy = |pair: sled::Result<(sled::IVec, sled::IVec)>| {
            let (key, value) = pair?;
            Ok((Bytes::copy_from_slice(&key), Bytes::copy_from_slice(&value)))
        };
        self.read(|database| {
            if from >= to {
                return Ok(Vec::new());
            }
            let pairs = database.range(from..to);
            if backward { pairs.rev().take(limit).map(copy).collect() } else { pairs.take(limit).map(copy).collect() }
        })
    }

    fn apply(&self, writes: &[Write]) -> Result<(), ProjectionError> {
        writes.iter().try_for_each(Write::check)?;
        self.write(|database| {
            for Write { key, value } in writes {
                match value {
                    Some(value) => database.insert(key, &value[..])?,
                    None => database.remove(key)?,
                };
            }
            Ok(())
        })?;
        self.operations.fetch_add(writes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn checkpoint(&self, mark: &[u8]) -> Result<(), ProjectionError> {
        self.write(|database| {
            // Behind the rows in sled's log, so that it is not there without them.
            database.insert(MARK, mark)?;
            database.flush()?;
            self.sync()
        })
    }

    fn mark(&self) -> Result<Option<Bytes>, ProjectionError> {
        self.get(MARK)
    }

    fn clear(&self) -> Result<(), ProjectionError> {
        self.write(|database| {
            database.remove(MARK)?;
            Ok(database.clear()?)
        })
    }

    fn close(&self) -> Result<(), ProjectionError> {
        self.write(|database| {
            database.flush()?;
            Ok(())
        })?;
        // Its threads may write until it is gone; only then is it synced for the last time.
        drop(self.database.write().unwrap_or_else(PoisonError::into_inner).take());
        let ended = self.sync().and_then(|()| self.session.end().map_err(SledFault::Sync));
        ended.map_err(failed)
    }

    fn operations(&self) -> u64 {
        self.operations.load(Ordering::Relaxed)
    }
}

fn failed(cause: SledFault) -> ProjectionError {
    ProjectionError::Failed(Box::new(cause))
}

fn open_sled(home: &Path, options: Options) -> Result<sled::Db, SledFault> {
    let config =
        sled::Config::new().path(home).cache_capacity(options.cache_bytes).flush_every_ms(Some(FLUSH_EVERY_MS));
    for _ in 0..LOCK_TRIES {
        match guarded(|| Ok(config.open()?)) {
            Err(SledFault::Error(sled::Error::Io(cause))) if cause.to_string().contains("could not acquire lock") => {
                std::thread::sleep(LOCK_PAUSE);
            }
            opened => return opened,
        }
    }
    guarded(|| Ok(config.open()?))
}

fn guarded<T>(work: impl FnOnce() -> Result<T, SledFault>) -> Result<T, SledFault> {
    // After a panic of sled nothing is asked of it that matters: what it holds is made anew from the journal.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(SledFault::Panic(message_of(&*panic))))
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}

/// A kill may leave a half-written snapshot, which sled 0.34.7 takes for the newest one and refuses to open. Snapshots
/// only make opening faster.
fn remove_unfinished_snapshots(home: &Path) -> io::Result<()> {
    for entry in fs::read_dir(home)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
