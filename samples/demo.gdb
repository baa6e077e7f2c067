# The demo's session: stop the proxy where it has closed most of its connections, and look.
set pagination off
set confirm off
break sample_pause
run
up
set trace-commands on
refheap generations
refheap cycles
refheap referrers -- conn->peer
refheap why conn->peer
refheap dump -now build/demo/proxy.refheap
refheap render -o build/demo/cycles.svg
set trace-commands off
delete
continue
