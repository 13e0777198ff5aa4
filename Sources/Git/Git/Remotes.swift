import CGit2

extension Repository {
  /// The URL as the configuration has it: without the rewriting of `url.<base>.insteadOf`; `nil`
  /// when none is set.
  package func remoteURL(_ name: String) throws(GitError) -> String? {
    try configured("remote.\(name).url")
  }

  /// Makes the remote, or gives the one that is there another URL.
  package func setRemote(_ name: String, url: String) throws(GitError) {
    if try remoteURL(name) != nil {
      try unsafe Libgit2.check(git_remote_set_url(handle, name, url), "set remote \(name)")
      return
    }
    var remote: OpaquePointer?
    try unsafe Libgit2.check(git_remote_create(&remote, handle, name, url), "add remote \(name)")
    unsafe git_remote_free(remote)
  }

  /// What makes a directory a repository is on the disk, which libgit2 does not see to.
  package func synchronizeSettings() throws(GitError) {
    for name in ["HEAD", "config", "objects", "refs", ""] {
      try SystemFile.synchronize(gitDirectory + name)
    }
  }
}
