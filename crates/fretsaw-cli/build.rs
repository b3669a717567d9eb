//! Tells the binary which commit it was built from, where that can be told.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=../../.git/HEAD");
    println!("cargo:rerun-if-changed=../../.git/refs/heads");
    let commit = Command::new("git")
        .args(["rev-parse", "--short=12", "HEAD"])
        .output();
    if let Ok(out) = commit
        && out.status.success()
        && let Ok(commit) = String::from_utf8(out.stdout)
    {
        println!("cargo:rustc-env=FRETSAW_COMMIT={}", commit.trim());
    }
}
