import GitModel
import MessageFormat

/// Which paths and links a checkout takes, beyond what `TreePath` refuses for everyone.
struct PathPolicy {
  let settings: CheckoutSettings

  func require(_ change: TreeChange) throws(Refused) {
    try settings.policy.require(change)
    guard let new = change.new else { return }
    if change.path.isUnusual && settings.unusualPaths == .refuse {
      throw Refused(
        .unusualPath,
        "\(change.path) has a control character or a backslash; 'unusual-paths: allow' takes it")
    }
    guard new.mode == .symbolicLink else { return }
    if settings.symbolicLinks == .refuse {
      throw Refused(.symbolicLink, "\(change.path) is a symbolic link")
    }
    // git reads these files by following a link: into whatever it points at.
    if change.path.endsInGitFile {
      throw Refused(.symbolicLink, "\(change.path) is a symbolic link that git itself would follow")
    }
  }

  /// Once the target is known.
  func require(linkAt path: TreePath, to target: [UInt8]) throws(Refused) {
    guard !target.isEmpty, target.count < TreePath.byteCountMax, !target.contains(0) else {
      throw Refused(.symbolicLink, "\(path) has a target that no symbolic link can have")
    }
    guard settings.symbolicLinks == .inside else { return }
    guard Self.staysInside(target, from: path) else {
      throw Refused(
        .symbolicLink,
        "\(path) points outside the checkout, to \(TreePath.quoted(target.prefix(200)))"
          + "; 'symbolic-links: any' takes it")
    }
  }

  /// Read as text alone: what other links on the way do is their own line in the check.
  static func staysInside(_ target: [UInt8], from path: TreePath) -> Bool {
    guard !target.isEmpty, target.first != UInt8(ascii: "/"), !target.contains(0) else {
      return false
    }
    var depth = path.components.count - 1
    var hasGone = false
    for component in target.split(separator: UInt8(ascii: "/")) {
      if component.elementsEqual(".".utf8) { continue }
      if component.elementsEqual("..".utf8) {
        // "name/.." may be somewhere else than here when "name" is itself a link.
        if hasGone { return false }
        depth -= 1
      } else {
        hasGone = true
        if TreePath.isGitDirectory(component) { return false }
        depth += 1
      }
      if depth < 0 { return false }
    }
    return true
  }
}
