import Foundation
package import Host
import Synchronization
import WebClient

/// A project of IronMQ, for threads that may block. Any number of threads may ask.
package final class IronMQClient: Sendable {
  /// For a request and its answer, besides what a reservation waits.
  private static let deadline: Duration = .seconds(12)
  /// Of an answer. One message alone is always less: 256 KiB, of which JSON's escapes make six times that at most.
  package static let answerByteCountMax = 8 << 20

  private let address: IronMQAddress
  private let web: WebClient
  private let tokenFile: SecretFile
  private let token: Mutex<String>

  /// Reads the token. Throws `SecretFileError` and `WebError`.
  package init(_ address: IronMQAddress, tokenFile: SecretFile, authorities: String?) throws {
    (self.address, self.tokenFile) = (address, tokenFile)
    token = Mutex(try tokenFile.firstLine())
    web = try WebClient(WebSettings(certificateFile: authorities))
  }

  /// Requests that run end, and so do all that come.
  package func stop() { web.stop() }

  /// The body of an answer of success. Throws `SecretFileError` and `IronMQError`.
  package func send(_ request: IronMQRequest) throws -> [UInt8] {
    let used = token.withLock { $0 }
    do throws(IronMQError) {
      return try send(request, used)
    } catch {
      guard error == .unauthorized else { throw error }
      // It may have been changed, here as there.
      let read = try tokenFile.firstLine()
      token.withLock { $0 = read }
      guard read != used else { throw IronMQError.unauthorized }
      return try send(request, read)
    }
  }

  private func send(_ request: IronMQRequest, _ token: String) throws(IronMQError) -> [UInt8] {
    let body = request.body
    let response: WebResponse
    do throws(WebError) {
      response = try web.send(
        WebRequest(
          request.method, try address.base.appending(request.path),
          headers: [.init("Content-Type", "application/json")],
          credentials: [.init("Authorization", "OAuth \(token)")], body: body,
          deadline: Self.deadline + .seconds(request.waitSeconds)),
        byteCountMax: Self.answerByteCountMax)
    } catch {
      throw .web(error)
    }
    guard !response.isSuccess else { return response.body }
    throw Self.error(of: response, requestByteCount: body?.count ?? 0)
  }

  private static func error(of response: WebResponse, requestByteCount: Int) -> IronMQError {
    let message = WebResponse.plain(IronMQAnswer.message(response.body))
    switch response.status {
    case 401: return .unauthorized
    case 403: return .forbidden(message: message)
    case 404: return .missing(message: message)
    case 413: return .requestTooLarge(byteCount: requestByteCount)
    case 429, 503:
      return .paused(status: response.status, seconds: response.retrySeconds(at: Date()))
    default: return .status(response.status, message: message)
    }
  }
}
