//! The limits that a control group sets, both versions. It knows nothing of limits set otherwise.

use std::path::Path;

use super::read;

/// Processors' worth of time that this process may use, such as 1.5.
pub(super) fn cpu_quota(root: &Path) -> Option<f64> {
    let quota = |quota: f64, period: f64| (quota > 0.0 && period > 0.0).then(|| quota / period);
    let unified = limits(root, "", |folder| {
        let text = read(root, &format!("{folder}/cpu.max"))?;
        let (allowed, period) = text.split_once(' ')?;
        quota(allowed.parse().ok()?, period.parse().ok()?)
    });
    let split = limits(root, "cpu", |folder| {
        // -1 is no limit.
        let allowed = read(root, &format!("{folder}/cpu.cfs_quota_us"))?;
        let period = read(root, &format!("{folder}/cpu.cfs_period_us"))?;
        quota(allowed.parse().ok()?, period.parse().ok()?)
    });
    unified.into_iter().chain(split).reduce(f64::min)
}

/// Bytes that this process may use.
pub(super) fn memory_limit(root: &Path) -> Option<u64> {
    let number = |path: String| read(root, &path)?.parse().ok();
    let unified = limits(root, "", |folder| number(format!("{folder}/memory.max")));
    let split = limits(root, "memory", |folder| {
        number(format!("{folder}/memory.limit_in_bytes"))
    });
    unified.into_iter().chain(split).min()
}

/// What `limit` finds in this process's group and in those around it. `controller` is that of a
/// version 1 hierarchy, empty for version 2.
fn limits<T>(root: &Path, controller: &str, limit: impl Fn(&str) -> Option<T>) -> Vec<T> {
    let groups = read(root, "proc/self/cgroup").unwrap_or_default();
    // `4:cpu,cpuacct:/a/b`, `0::/a/b`
    let group = groups.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        controllers
            .split(',')
            .any(|c| c == controller)
            .then_some(path)
    });
    let mut group = group.unwrap_or("/").trim_end_matches('/');
    let mount = if controller.is_empty() {
        "sys/fs/cgroup".into()
    } else {
        format!("sys/fs/cgroup/{controller}")
    };
    let mut found = Vec::new();
    loop {
        found.extend(limit(&format!("{mount}{group}")));
        let Some(slash) = group.rfind('/') else {
            return found;
        };
        group = &group[..slash];
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            fs::create_dir_all(dir.path().join(path).parent().unwrap()).unwrap();
            fs::write(dir.path().join(path), text).unwrap();
        }
        dir
    }

    #[test]
    fn the_narrowest_group_counts() {
        let unified = machine(&[
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/cpu.max", "150000 100000\n"),
            ("sys/fs/cgroup/a/b/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/a/memory.max", "4096\n"),
            ("sys/fs/cgroup/a/b/memory.max", "max\n"),
        ]);
        assert_eq!(
            (cpu_quota(unified.path()), memory_limit(unified.path())),
            (Some(1.5), Some(4096))
        );

        let split = machine(&[
            ("proc/self/cgroup", "4:memory:/a\n1:cpu,cpuacct:/\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
            (
                "sys/fs/cgroup/memory/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
            ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "8192\n"),
        ]);
        assert_eq!(
            (cpu_quota(split.path()), memory_limit(split.path())),
            (Some(0.5), Some(8192))
        );
    }

    #[test]
    fn no_limit_is_none() {
        let open = machine(&[
            ("proc/self/cgroup", "1:cpu:/\n0::/\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
            ("sys/fs/cgroup/cpu.max", "garbage"),
        ]);
        assert_eq!(
            (cpu_quota(open.path()), memory_limit(open.path())),
            (None, None)
        );
    }
}
