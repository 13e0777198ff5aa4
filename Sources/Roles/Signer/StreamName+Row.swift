import GRDB
import MessageFormat

extension StreamName {
  /// Of the columns `remote` and `ref`.
  init(row: Row) throws {
    let (remote, ref): (String, String) = (row["remote"], row["ref"])
    guard let branch = BranchName(fullName: ref) else {
      throw SignerError.state("a stream has the name '\(ref)'")
    }
    self.init(remote: try RemoteName(remote), branch: branch)
  }
}
