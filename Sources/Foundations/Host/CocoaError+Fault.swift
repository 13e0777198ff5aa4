package import Foundation

extension CocoaError {
  /// What is wrong with which file, in one line and in the system's words: `/etc/distro: Permission denied`.
  package var fault: String {
    let code = (underlying as? POSIXError)?.code.rawValue
    let reason = code.map { unsafe String(cString: strerror($0)) } ?? localizedDescription
    return filePath.map { "\($0): \(reason)" } ?? reason
  }
}
