import Foundation
import Host
import WebClient

/// The secret of one host, read from its file anew each time: it may be replaced while we run.
struct HostToken {
  let headers: [WebRequest.Header]

  init(of target: StatusTarget) throws(SecretFileError) {
    let text = try SecretFile(target.tokenFile).firstLine()
    guard text.utf8.allSatisfy({ $0 < 0x7f }) else {
      throw .invalid(target.tokenFile, reason: "its first line is not plain ASCII")
    }
    let header: WebRequest.Header =
      switch target.host {
      case .github, .bitbucketDataCenter: .init("Authorization", "Bearer \(text)")
      case .gitlab: .init("PRIVATE-TOKEN", text)
      case .gitea, .forgejo: .init("Authorization", "token \(text)")
      // An account and its app password, or an access token.
      case .bitbucketCloud where text.contains(":"):
        .init("Authorization", "Basic \(Data(text.utf8).base64EncodedString())")
      case .bitbucketCloud: .init("Authorization", "Bearer \(text)")
      }
    headers = [header]
  }
}
